"""Stderr hides secrets, also those that were not read yet."""

import io

import pytest

from discosync.cli.scrubbed_stream import ScrubbedStream


def test_secret_of_the_environment_is_hidden_before_settings_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slip on the command line is told before anything else happens."""
    monkeypatch.setenv("DISCOGS_TOKEN", "plover-in-the-environment")
    monkeypatch.setenv("HTTPS_PROXY", "http://joe:plover-of-the-proxy@proxy.example")
    stream = io.StringIO()
    print("no such command: plover-in-the-environment", file=ScrubbedStream(stream))
    print("407: plover-of-the-proxy", file=ScrubbedStream(stream))
    assert stream.getvalue() == "no such command: ***\n407: ***\n"


def test_everything_else_is_the_streams_own() -> None:
    """What a terminal is asked, it answers itself."""
    stream = io.StringIO()
    assert ScrubbedStream(stream).isatty() == stream.isatty()
