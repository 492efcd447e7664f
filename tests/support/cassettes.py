"""Replay what Discogs answered, and find what must not be published.

A cassette holds requests and their answers, in their order. Those in `tests/cassettes` have the
shapes of real answers, recorded by others in August 2026; sellers, listings and numbers are made
up. `hour/export_hour.yaml` alone was recorded by us, against the sandbox.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import vcr
from vcr.request import Request
from vcr.serializers.yamlserializer import deserialize

from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from tests.support.program import TOKEN

TOP = Path(__file__).parents[1] / "cassettes"
API = "https://api.discogs.com"
REDACTED = "REDACTED"

_HOSTS = {"api.discogs.com", "www.discogs.com", "i.discogs.com", "127.0.0.1"}
_REQUEST_HEADERS = {"accept", "accept-encoding", "authorization", "connection", "user-agent"}
_REQUEST_HEADERS |= {"content-length"}
_LINK = re.compile(r"https?://[^\s\"'<>]+")
_E_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_IN_AN_ADDRESS = re.compile(r"\b(token|key|secret|oauth_\w+)=", re.IGNORECASE)
_MACHINE = re.compile(r"(?<![\d.])(?!127\.0\.0\.1\b)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")


def _without_moving_headers(response: dict[str, Any]) -> dict[str, Any]:
    response["headers"].pop("Server", None)
    return response


RECORDER = vcr.VCR(
    cassette_library_dir=str(TOP),
    filter_headers=[("Authorization", REDACTED)],
    before_record_response=_without_moving_headers,
    match_on=["method", "uri", "signed"],
)


def _is_signed_alike(asked: Request, recorded: Request) -> None:
    """Refuse a token where the recording has none, and none where it has one."""
    assert ("Authorization" in asked.headers) == ("Authorization" in recorded.headers)


RECORDER.register_matcher("signed", _is_signed_alike)


def cassettes() -> list[Path]:
    """Give every cassette."""
    return sorted(TOP.rglob("*.yaml"))


@contextmanager
def replaying(name: str, *, token: str | None = TOKEN) -> Iterator[Transport]:
    """Give a transport whose every request is answered from one cassette, to its very end.

    A request that the cassette does not hold next is an error, and so is one that nobody made. Its
    waits take no time: the seconds are in `transport.use.throttled_seconds`.
    """
    transport = Transport(
        base_url=API, token=token, patience=Patience(attempts=2), sleep=lambda _seconds: None
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")  # a proxy would be another address than the recorded one
        with RECORDER.use_cassette(f"{name}.yaml", record_mode="none") as cassette:
            yield transport
    transport.close()
    assert cassette.all_played, f"{cassette.play_count} of {len(cassette)} requests were made"


def secrets_of(text: str) -> list[str]:
    """Name what in a cassette's text must not be published; nothing means that it may be."""
    found = [f"an e-mail address: {x}" for x in _E_MAIL.findall(text)]
    found += [f"a machine's address: {x}" for x in _MACHINE.findall(text)]
    found += [f"a secret in an address: {x}" for x in _IN_AN_ADDRESS.findall(text)]
    found += [
        f"another host: {host}"
        for host in {urlsplit(x).hostname for x in _LINK.findall(text)} - _HOSTS
    ]
    for exchange in deserialize(text)["interactions"]:
        asked = _by_lower_name(exchange["request"])
        answered = _by_lower_name(exchange["response"])
        if asked.get("authorization", REDACTED) != REDACTED:
            found.append("the value of Authorization")
        found += [f"a header: {name}" for name in asked.keys() - _REQUEST_HEADERS]
        found += [f"a header: {name}" for name in answered if "cookie" in name]
    return found


def _by_lower_name(message: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): ", ".join(values) for name, values in message["headers"].items()}
