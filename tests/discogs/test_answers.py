"""What an answer means: usable, worth another try, or an error of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
import requests

from discosync.discogs.answers import (
    SANDBOX_HEADER,
    Answer,
    RetryLater,
    check_status,
    parse_number,
    parse_object,
)
from discosync.errors import AuthRefused, BadData, RateLimited, SourceUnavailable
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault

FIREWALL_SECONDS = 7.0
HTML = "<html>checking your browser</html>"
JSON = '{"message": "no"}'


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session without discosync's own retries."""
    with requests.Session() as opened:
        yield opened


def _judge(
    server: SandboxServer,
    session: requests.Session,
    status: int,
    body: str = JSON,
    headers: dict[str, str] | None = None,
) -> None:
    fault = Fault(path="/oauth", status=status, body=body, headers=headers or {})
    server.state.faults = [fault]
    response = session.get(f"{server.url}/oauth/identity", timeout=5)
    check_status(response, frozenset({304}), firewall_wait_seconds=FIREWALL_SECONDS)


@pytest.mark.parametrize("status", [200, 201, 304])
def test_asked_for_statuses_are_accepted(
    sandbox: SandboxServer, session: requests.Session, status: int
) -> None:
    """200, 201 and the statuses that the caller names raise nothing."""
    _judge(sandbox, session, status, body="")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, JSON, AuthRefused),
        (403, JSON, AuthRefused),
        (404, JSON, SourceUnavailable),
        (422, HTML, SourceUnavailable),
    ],
)
def test_final_refusals_are_errors(
    sandbox: SandboxServer,
    session: requests.Session,
    status: int,
    body: str,
    error: type[Exception],
) -> None:
    """A status that asking again will not change is an error at once."""
    with pytest.raises(error, match=str(status)):
        _judge(sandbox, session, status, body)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 530])
def test_passing_trouble_may_be_tried_again(
    sandbox: SandboxServer, session: requests.Session, status: int
) -> None:
    """Server errors, and those of Cloudflare in front of it, may pass."""
    with pytest.raises(RetryLater) as caught:
        _judge(sandbox, session, status, HTML)
    assert isinstance(caught.value.error, SourceUnavailable)
    assert (caught.value.wait_seconds, caught.value.throttled) == (None, False)


def test_firewall_is_waited_for(sandbox: SandboxServer, session: requests.Session) -> None:
    """A 403 that is a web page comes from the firewall and is tried again after a wait."""
    with pytest.raises(RetryLater) as caught:
        _judge(sandbox, session, 403, HTML)
    assert caught.value.wait_seconds == FIREWALL_SECONDS


CLOUDFLARE = (
    '{"type": "https://example.invalid/1020", "title": "Error 1020: Access denied", "status": 403, '
    '"detail": "This request was blocked.", "error_code": 1020, "cloudflare_error": true}'
)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("body", [HTML, CLOUDFLARE, "", "[]", '{"message": null}'])
def test_only_discogs_own_form_of_an_error_is_believed(
    sandbox: SandboxServer, session: requests.Session, status: int, body: str
) -> None:
    """A proxy or firewall knows neither whose a token is nor what is not there."""
    fault = Fault(path="/oauth", status=status, body=body)
    sandbox.state.faults = [fault]
    response = session.get(f"{sandbox.url}/oauth/identity", timeout=5)
    with pytest.raises(RetryLater) as caught:
        check_status(response, frozenset({404}), firewall_wait_seconds=FIREWALL_SECONDS)
    assert isinstance(caught.value.error, SourceUnavailable)
    assert caught.value.wait_seconds == FIREWALL_SECONDS


def test_firewall_that_speaks_json_is_quoted(
    sandbox: SandboxServer, session: requests.Session
) -> None:
    """Its title and detail are for people."""
    with pytest.raises(RetryLater) as caught:
        _judge(sandbox, session, 403, CLOUDFLARE)
    assert "Error 1020: Access denied: This request was blocked." in caught.value.error.message


@pytest.mark.parametrize(
    ("header", "seconds"), [({}, None), ({"Retry-After": "12"}, 12.0), ({"Retry-After": "x"}, None)]
)
def test_429_says_how_long_to_wait(
    sandbox: SandboxServer,
    session: requests.Session,
    header: dict[str, str],
    seconds: float | None,
) -> None:
    """`Retry-After` is taken where there is one that can be read."""
    with pytest.raises(RetryLater) as caught:
        _judge(sandbox, session, 429, HTML, header)
    assert isinstance(caught.value.error, RateLimited)
    assert (caught.value.wait_seconds, caught.value.throttled) == (seconds, True)


def test_retry_after_may_be_a_date(sandbox: SandboxServer, session: requests.Session) -> None:
    """A date that has passed means not to wait; a far one means to wait long."""
    waits = []
    for days in (-1, 1):
        moment = format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=False)
        with pytest.raises(RetryLater) as caught:
            _judge(sandbox, session, 429, headers={"Retry-After": moment})
        waits.append(caught.value.wait_seconds or 0.0)
    assert waits[0] == 0.0
    assert waits[1] > 80_000


def test_message_of_an_error_is_cut_and_printable(
    sandbox: SandboxServer, session: requests.Session
) -> None:
    """However long Discogs' own words are, and whatever they hold, they fit into a line."""
    with pytest.raises(SourceUnavailable) as caught:
        _judge(sandbox, session, 404, '{"message": "\\ud800' + "x" * 900 + '"}')
    assert 200 < len(caught.value.message) < 300
    assert caught.value.message.encode()


def test_fractions_are_decimals() -> None:
    """A price keeps its last digit."""
    parsed = parse_object(Answer(status=200, headers={}, body=b'{"value": 12.10}'))
    assert repr(parsed["value"]) == repr(Decimal("12.10"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b'{"a"', b"[" * 100_000])
def test_anything_but_an_object_is_no_answer(body: bytes) -> None:
    """A page of another kind may pass; if it stays, it is bad data."""
    with pytest.raises(RetryLater) as caught:
        parse_object(Answer(status=200, headers={}, body=body))
    assert isinstance(caught.value.error, BadData)


@pytest.mark.parametrize(
    ("text", "number"),
    [("60", 60), ("0", 0), ("", None), (None, None), ("-1", None), ("6.0", None), ("٣", None)],
)
def test_headers_hold_whole_numbers(text: str | None, number: int | None) -> None:
    """Anything else in a header counts as no header."""
    assert parse_number(text) == number


def test_an_answer_is_dated_by_its_server() -> None:
    """`Date` is the server's clock; without a readable one it is ours."""
    dated = Answer(status=200, headers={"Date": "Tue, 25 Aug 2026 14:04:23 GMT"})
    assert dated.served_at == datetime(2026, 8, 25, 14, 4, 23, tzinfo=UTC)
    assert Answer(status=200, headers={"Date": "yesterday"}).served_at.tzinfo is UTC
    assert not dated.is_sandbox
    assert Answer(status=200, headers={SANDBOX_HEADER: "1"}).is_sandbox
