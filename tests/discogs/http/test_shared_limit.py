"""Processes that share a machine or a Redis stay below Discogs' limit together."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from discosync.discogs.http.pacing import WINDOW_SECONDS
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.shared_limit import (
    FileWindow,
    RedisWindow,
    SharedLimit,
    Window,
    open_shared_limit,
)
from discosync.discogs.http.transport import Transport
from discosync.errors import RateLimited
from discosync.sandbox.server import SandboxServer, serving
from discosync.sandbox.state import Fault, SandboxState
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret
from tests.support.program import TOKEN
from tests.support.redis import Redis
from tests.support.shop import SELLER
from tests.support.waiting import HUNG_AFTER_SECONDS

SPAN_SECONDS = 2.0
"""A window so short that the tests see several of them."""

WORKER = """
import sys
from pathlib import Path
from discosync.discogs.http.shared_limit import FileWindow, RedisWindow, SharedLimit
from discosync.discogs.http.transport import Transport
from discosync.settings.secret import Secret

url, token, where, count, span = sys.argv[1:]
span = float(span)
window = (
    RedisWindow(Secret(where), "discosync:limit:test", window_seconds=span + 0.2)
    if "://" in where
    else FileWindow(Path(where), window_seconds=span + 0.2)
)
warnings, retries = [], 0
for _ in range(int(count)):
    # Each as the first request of a run, which has seen no header yet.
    transport = Transport(
        base_url=url,
        token=token,
        shared_limit=SharedLimit([window], warn=warnings.append),
        window_seconds=span,
    )
    transport.get_json("/oauth/identity")
    retries += transport.use.retries
    transport.close()
print(retries, len(warnings))
"""


@pytest.fixture
def strict() -> Iterator[SandboxServer]:
    """A server that refuses the sixty-first request of a window, and remembers all of them."""
    state = SandboxState(seller=SELLER, token=TOKEN, enforces_limits=True, is_marked=False)
    # Half of what the processes wait: on a slow machine a request arrives long after it was noted.
    state.window_seconds = SPAN_SECONDS / 2
    with serving(state) as server:
        yield server


@pytest.fixture(params=["file", "redis"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the window is shared: in a file, and in a real Redis."""
    if request.param == "file":
        return str(tmp_path / "limit.txt")
    server: Redis = request.getfixturevalue("redis_server")
    return server.url


def _window(where: str, span: float = SPAN_SECONDS) -> Window:
    if "://" in where:
        return RedisWindow(Secret(where), "discosync:limit:test", window_seconds=span)
    return FileWindow(Path(where), window_seconds=span)


def test_three_processes_stay_below_the_limit_together(where: str, strict: SandboxServer) -> None:
    """A hundred and fifty requests of three processes at once: none is refused."""
    command = [sys.executable, "-c", WORKER, strict.url, TOKEN, where, "50", str(SPAN_SECONDS)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate(timeout=HUNG_AFTER_SECONDS)[0].split() for worker in workers]

    assert said == [["0", "0"]] * 3
    assert len(strict.state.requests) == 150
    assert strict.state.throttled == 0


def _ask_in_short_runs(url: str, count: int) -> None:
    for _ in range(count):
        transport = Transport(base_url=url, token=TOKEN, patience=Patience(attempts=1))
        transport.get_json("/oauth/identity")
        transport.close()


def test_runs_that_share_nothing_are_refused(strict: SandboxServer) -> None:
    """The same short runs without a shared window meet the limit: it is what keeps them below."""
    strict.state.window_seconds = WINDOW_SECONDS
    with pytest.raises(RateLimited):
        _ask_in_short_runs(strict.url, 70)
    assert len(strict.state.requests) == 61


def test_window_lets_only_so_many_through(where: str) -> None:
    """The sixth of five waits until the first has left the window, and is not counted yet."""
    window = _window(where, span=3600.0)
    assert [window.reserve(5) for _ in range(5)] == [0.0] * 5

    waits = [window.reserve(5), window.reserve(5)]
    assert all(3000 < seconds <= 3600 for seconds in waits)
    assert 3000 < window.reserve(2) <= 3600
    window.forget()
    assert window.reserve(5) == 0.0


def test_window_moves(tmp_path: Path) -> None:
    """What left the window is free again, one request at a time."""
    now = 1000.0
    window = FileWindow(tmp_path / "limit", window_seconds=60.0, clock=lambda: now)
    for now in (1000.0, 1010.0, 1020.0):  # noqa: B007 - the clock reads it
        assert window.reserve(3) == 0.0
    assert window.reserve(3) == pytest.approx(40.0)
    assert window.reserve(2) == pytest.approx(50.0)
    now = 1060.1
    assert window.reserve(3) == 0.0
    assert window.reserve(3) == pytest.approx(9.9)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\0garbage", b"nan\ninf\n-inf\n1e999\n", b"9" * 100_000, b"9999999999.0\n" * 90],
    ids=["empty", "bytes", "numbers", "long", "future"],
)
def test_file_of_garbage_begins_anew(tmp_path: Path, content: bytes) -> None:
    """Neither garbage nor moments to come keep anybody waiting."""
    path = tmp_path / "limit"
    path.write_bytes(content)
    window = FileWindow(path)
    assert [window.reserve(2) for _ in range(2)] == [0.0, 0.0]
    assert window.reserve(2) > 0
    assert len(path.read_text().splitlines()) == 2


def test_redis_key_of_another_type_begins_anew(redis_server: Redis) -> None:
    """Garbage under our key keeps nobody waiting, and is no trouble."""
    with redis_server.client() as client:
        client.set("discosync:limit:test", "garbage")
        window = _window(redis_server.url, span=3600.0)
        assert window.reserve(1) == 0.0
        assert window.reserve(1) > 0
        assert 0 < client.pttl("discosync:limit:test") <= 3_600_000


def _settings(directory: Path, redis_url: str | None = None) -> CacheSettings:
    url = None if redis_url is None else Secret(redis_url)
    return CacheSettings(redis_url=url, ttl_seconds=0, directory=directory)


def _limit(
    directory: Path, warn: Callable[[str], None], redis_url: str | None = None
) -> SharedLimit:
    return open_shared_limit(_settings(directory, redis_url), base_url="http://x", warn=warn)


def _fails(text: str) -> None:
    pytest.fail(text)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_unwritable_place_leaves_each_process_its_own_pace(tmp_path: Path, what: str) -> None:
    """A window that cannot be written is no failure, and not worth a warning."""
    if what == "directory":
        (tmp_path / "cache").write_text("a file")
    limit = _limit(tmp_path / "cache", _fails)
    if what == "file":
        limit.reserve(60)
        (path,) = (tmp_path / "cache").iterdir()
        path.unlink()
        path.mkdir()
    assert [limit.reserve(3) for _ in range(9)] == [0.0] * 9


def test_stopped_holder_delays_nobody_for_long(tmp_path: Path) -> None:
    """Whoever holds the file's lock and was stopped is not waited for."""
    limit = _limit(tmp_path, _fails)
    assert limit.reserve(60) == 0.0
    (path,) = tmp_path.iterdir()
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert [limit.reserve(3) for _ in range(9)] == [0.0] * 9


def test_file_is_its_owners_and_one_for_each_api(tmp_path: Path) -> None:
    """Nobody else reads it; another API address has another window."""
    before = os.umask(0)
    try:
        directory = tmp_path / "cache"
        for base_url in ("https://one", "https://two"):
            limit = open_shared_limit(_settings(directory), base_url=base_url, warn=_fails)
            assert [limit.reserve(3), limit.reserve(3) > 0] == [0.0, True]
        assert directory.stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in directory.iterdir()] == [0o600] * 2
    finally:
        os.umask(before)


def test_redis_in_trouble_leaves_the_file(redis_server: Redis, tmp_path: Path) -> None:
    """A Redis that dies is one warning; the file counts from there."""
    warnings: list[str] = []
    limit = _limit(tmp_path, warnings.append, redis_server.url)
    assert limit.reserve(60) == 0.0
    assert list(tmp_path.iterdir()) == []
    redis_server.stop()

    assert [limit.reserve(3), limit.reserve(3) > 0] == [0.0, True]
    assert len(warnings) == 1
    assert "this machine only" in warnings[0]
    assert len(list(tmp_path.iterdir())) == 1
    limit.close()


def test_silent_redis_is_asked_once(redis_server: Redis, tmp_path: Path) -> None:
    """A Redis that accepts and never answers costs half a second, once."""
    redis_server.pause()
    warnings: list[str] = []
    limit = _limit(tmp_path, warnings.append, redis_server.url)
    assert [limit.reserve(60) for _ in range(20)] == [0.0] * 20
    assert len(warnings) == 1


def test_missing_redis_package_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra, the machine's own window counts, and the warning says what to install."""
    monkeypatch.setitem(sys.modules, "redis", None)
    warnings: list[str] = []
    limit = _limit(tmp_path, warnings.append, "redis://127.0.0.1:6379/0")
    assert [limit.reserve(3), limit.reserve(3) > 0] == [0.0, True]
    assert "pip install '.[redis]'" in warnings[0]


# With Discogs' headers.


def _transport(server: SandboxServer, directory: Path, waits: list[float]) -> Transport:
    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 3:
            raise TimeoutError

    limit = open_shared_limit(_settings(directory), base_url=server.url, warn=_fails)
    return Transport(base_url=server.url, token=TOKEN, shared_limit=limit, sleep=sleep)


def test_rehearsal_is_not_slowed_down(sandbox: SandboxServer, tmp_path: Path) -> None:
    """A server that says that nothing is ever spent: many runs of many requests, no wait."""
    waits: list[float] = []
    for _ in range(10):
        transport = _transport(sandbox, tmp_path, waits)
        for _ in range(7):
            transport.get_json("/oauth/identity")
    assert waits == []


def test_first_request_of_a_process_heeds_the_others(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    """Before it has seen a single header, a process knows what others have sent."""
    sandbox.state.enforces_limits = True
    limit = open_shared_limit(_settings(tmp_path), base_url=sandbox.url, warn=_fails)
    while limit.reserve(60) == 0.0:
        pass
    waits: list[float] = []
    with pytest.raises(TimeoutError):
        _transport(sandbox, tmp_path, waits).get_json("/oauth/identity")
    assert 50 < waits[0] < WINDOW_SECONDS + 1
    assert sandbox.state.requests == []


def test_retries_pass_through_the_window(sandbox: SandboxServer, tmp_path: Path) -> None:
    """Every attempt is noted, not only every question."""
    sandbox.state.enforces_limits = True
    transport = _transport(sandbox, tmp_path, [])
    sandbox.state.faults = [Fault(path="/oauth", status=503, times=2)]
    transport.get_json("/oauth/identity")
    (path,) = tmp_path.iterdir()
    assert len(path.read_text().splitlines()) == 3


def test_server_that_counts_is_never_taken_for_a_rehearsal(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    """One answer of an idle window, or failed attempts before it, are no evidence."""
    sandbox.state.enforces_limits = True
    other = open_shared_limit(_settings(tmp_path), base_url=sandbox.url, warn=_fails)
    for _ in range(10):
        other.reserve(60)
    transport = _transport(sandbox, tmp_path, [])
    for _ in range(6):
        transport.get_json("/oauth/identity")
    (path,) = tmp_path.iterdir()
    assert len(path.read_text().splitlines()) == 16


def test_windows_that_nobody_uses_are_swept_up(tmp_path: Path) -> None:
    """A rehearsal's address is another one each time; what is younger than a day stays."""
    old, young = tmp_path / "limit-old.txt", tmp_path / "limit-young.txt"
    for path in (old, young):
        path.write_text("")
    os.utime(old, (1_000_000, 1_000_000))
    assert FileWindow(tmp_path / "limit-new.txt").reserve(5) == 0.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["limit-new.txt", "limit-young.txt"]
