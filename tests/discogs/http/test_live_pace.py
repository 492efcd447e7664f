"""The pace against the sandbox with Discogs' real limits."""

from discosync.discogs.http.transport import Transport
from discosync.sandbox.server import SandboxServer
from tests.support.program import TOKEN


def test_burst_is_stopped_before_the_limit(sandbox: SandboxServer) -> None:
    """Sixty-two quick requests: the client waits for the window by itself, and no 429 comes."""
    sandbox.state.enforces_limits = True
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        with sandbox.state.lock:  # let the minute pass
            sandbox.state.answered_at.clear()

    transport = Transport(base_url=sandbox.url, token=TOKEN, sleep=sleep)
    for _ in range(62):
        transport.get_json("/oauth/identity")

    assert sandbox.state.throttled == 0
    assert len(waits) >= 1
    assert 50 < waits[0] < 61
