"""A command in a message can be copied and run as it stands."""

import shlex
from pathlib import Path

from discosync.core.reporting.hints import config_option, render_command


def test_words_with_spaces_and_quotes_are_quoted() -> None:
    """The shell reads back the very words."""
    words = ["sync", "--from-file", "my shop's file.csv"]
    assert shlex.split(render_command(words)) == ["discosync", *words]


def test_settings_file_is_named_only_if_there_is_one() -> None:
    """Its path may hold a space."""
    assert config_option(None) == ""
    assert config_option(Path("/a b/c.toml")) == " --config '/a b/c.toml'"
