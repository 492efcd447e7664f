"""The polite client: pace, retries within bounds, headers, and where the token goes."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.errors import AuthRefused, RateLimited, SourceUnavailable
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.shop import SELLER
from tests.support.waiting import ENDLESS_SECONDS

QUICK = Patience(attempts=3, first_wait_seconds=0.01, first_throttled_wait_seconds=0.01)


def _transport(url: str, patience: Patience = QUICK) -> Transport:
    return Transport(base_url=url, token=TOKEN, patience=patience)


@dataclass
class Recorder:
    """A server that remembers the headers it gets, and sends people on."""

    url: str
    received: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def elsewhere() -> Iterator[Recorder]:
    """Another host, as far as a browser is concerned: another port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            recorder.received.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder = Recorder(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield recorder
        server.shutdown()


def test_headers_say_who_asks(elsewhere: Recorder) -> None:
    """A User-Agent of our own, the token in its one header, and nothing in the address."""
    _transport(elsewhere.url).get_json("/anything", {"page": 1})

    headers = elsewhere.received[0]
    assert headers["User-Agent"].startswith("discosync/")
    assert headers["Authorization"] == f"Discogs token={TOKEN}"
    assert "gzip" in headers["Accept-Encoding"]


def test_redirect_to_another_host_gets_no_token(
    sandbox: SandboxServer, elsewhere: Recorder
) -> None:
    """The token goes nowhere but to the API."""
    location = {"Location": f"{elsewhere.url}/there"}
    sandbox.state.faults = [Fault(path="/oauth", status=302, headers=location, body="")]

    _transport(sandbox.url).get_json("/oauth/identity")

    assert "Authorization" not in elsewhere.received[0]


def test_netrc_does_not_replace_the_token(
    elsewhere: Recorder, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stray .netrc must not send another password to Discogs."""
    path = f"{tmp_path}/netrc"
    with open(path, "w") as file:  # noqa: PTH123
        file.write("default login joe password word\n")
    monkeypatch.setenv("NETRC", path)

    _transport(elsewhere.url).get_json("/anything")

    assert elsewhere.received[0]["Authorization"] == f"Discogs token={TOKEN}"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 522])
def test_passing_trouble_is_retried(sandbox: SandboxServer, status: int) -> None:
    """A server error that passes costs a retry, which is counted."""
    sandbox.state.faults = [Fault(path="/oauth", status=status, times=2, body="<html>")]
    transport = _transport(sandbox.url)

    assert transport.get_json("/oauth/identity")[0]["username"] == SELLER
    assert (transport.use.requests, transport.use.retries) == (3, 2)


def test_attempts_are_bounded(sandbox: SandboxServer) -> None:
    """Trouble that stays ends after the last attempt."""
    sandbox.state.faults = [Fault(path="/oauth", status=503, times=99)]
    transport = _transport(sandbox.url)

    with pytest.raises(SourceUnavailable, match="503"):
        transport.get_json("/oauth/identity")
    assert transport.use.requests == 3


def test_total_time_is_bounded(sandbox: SandboxServer) -> None:
    """However many attempts are left, patience ends."""
    sandbox.state.faults = [Fault(path="/oauth", status=503, times=99)]
    hasty = Patience(attempts=99, first_wait_seconds=0.2, total_seconds=1)

    with pytest.raises(SourceUnavailable):
        _transport(sandbox.url, hasty).get_json("/oauth/identity")
    assert len(sandbox.state.requests) < 8


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_final_answers_are_not_retried(sandbox: SandboxServer, status: int) -> None:
    """What will not change by asking again is asked once."""
    sandbox.state.faults = [Fault(path="/oauth", status=status, times=9)]

    with pytest.raises(SourceUnavailable):
        _transport(sandbox.url).get_json("/oauth/identity")
    assert len(sandbox.state.requests) == 1


def test_forbidden_by_discogs_and_by_its_firewall(sandbox: SandboxServer) -> None:
    """403 with JSON is a permission, and final; with HTML it is the firewall, and may pass."""
    said = '{"message": "no"}'
    sandbox.state.faults = [Fault(path="/oauth", status=403, body=said)]
    with pytest.raises(AuthRefused):
        _transport(sandbox.url).get_json("/oauth/identity")

    sandbox.state.faults = [Fault(path="/oauth", status=403, body="<html>checking</html>")]
    assert _transport(sandbox.url).get_json("/oauth/identity")[0]["username"] == SELLER


def test_retry_after_is_capped(sandbox: SandboxServer) -> None:
    """A service that asks for hours is not obeyed to the letter."""
    waits: list[float] = []
    fault = Fault(path="/oauth", status=429, headers={"Retry-After": "7200"})
    sandbox.state.faults = [fault]
    transport = Transport(base_url=sandbox.url, token=TOKEN, sleep=waits.append)

    transport.get_json("/oauth/identity")

    assert waits == [60.0]
    assert transport.use.throttled_seconds == 60.0


def test_429_without_retry_after_backs_off_and_gives_up(sandbox: SandboxServer) -> None:
    """Without a hint the waits double; a firm 429 is an error of its own."""
    waits: list[float] = []
    sandbox.state.faults = [Fault(path="/oauth", status=429, times=99, body="<html>")]
    transport = Transport(base_url=sandbox.url, token=TOKEN, sleep=waits.append)

    with pytest.raises(RateLimited):
        transport.get_json("/oauth/identity")
    assert waits == [5.0, 10.0, 20.0, 40.0]


def test_slow_answer_times_out(sandbox: SandboxServer) -> None:
    """A server that accepts and never answers costs the read timeout, not for ever."""
    sandbox.state.faults = [Fault(path="/oauth", delay_seconds=ENDLESS_SECONDS)]
    impatient = Patience(attempts=1, read_timeout_seconds=0.2)

    with pytest.raises(SourceUnavailable, match="ReadTimeout"):
        _transport(sandbox.url, impatient).get_json("/oauth/identity")
