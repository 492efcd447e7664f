"""Answers are kept, for a while, without a secret; and no trouble with that stops a run."""

import os
import pickle
import resource
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from discosync.core.reporting.report_parts import CacheUse
from discosync.discogs.cache.answer_cache import is_kept, open_cache
from discosync.discogs.cache.answer_stores import (
    FILE_NAME,
    DamagedFile,
    delete_damaged,
    open_file_store,
)
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.errors import DiscosyncError
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret
from tests.support.program import TOKEN
from tests.support.redis import PASSWORD, Redis

FIRST = 500_000
COUNT = 10
QUICK = Patience(attempts=1, first_wait_seconds=0.01)


def _settings(directory: Path, redis_url: str | None = None, *, ttl: int = 3600) -> CacheSettings:
    url = None if redis_url is None else Secret(redis_url)
    return CacheSettings(redis_url=url, ttl_seconds=ttl, directory=directory / "cache")


@pytest.fixture(params=["sqlite", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> CacheSettings:
    """Where answers are kept: a file, and a real Redis."""
    if request.param == "sqlite":
        return _settings(tmp_path)
    server: Redis = request.getfixturevalue("redis_server")
    return _settings(tmp_path, server.url)


class Session:
    """One run's use of Discogs: a transport with a cache, and what was said about it."""

    def __init__(self, settings: CacheSettings, url: str, token: str = TOKEN) -> None:
        self.warnings: list[str] = []
        self.cache = open_cache(settings, self.warnings.append)
        self.transport = Transport(base_url=url, token=token, patience=QUICK, cache=self.cache)

    def ask(self, path: str) -> dict[str, Any]:
        """Ask for something."""
        return self.transport.get_json(path)[0]

    def ask_releases(self, count: int = COUNT) -> list[dict[str, Any]]:
        """Ask for as many releases."""
        return [self.ask(f"/releases/{FIRST + number}") for number in range(count)]

    @property
    def requests(self) -> int:
        """How many requests went out."""
        return self.transport.use.requests

    @property
    def use(self) -> CacheUse:
        """What the cache was good for."""
        assert self.cache is not None
        return self.cache.use

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()
        if self.cache is not None:
            self.cache.close()


def _filled(settings: CacheSettings, url: str) -> list[dict[str, Any]]:
    with Session(settings, url) as session:
        answers = session.ask_releases()
        assert session.requests == COUNT
        assert session.warnings == []
    return answers


# What the cache does.


def test_refresh_within_the_ttl_is_answered_from_the_cache(
    settings: CacheSettings, sandbox: SandboxServer
) -> None:
    """A refresh gets at least nine of ten answers from the cache, and the same ones."""
    first = _filled(settings, sandbox.url)

    with Session(settings, sandbox.url) as session:
        again = [*session.ask_releases(), session.ask("/oauth/identity")]

        assert again[:COUNT] == first
        assert session.use.hit_rate is not None
        assert session.use.hit_rate >= 0.9
        assert session.requests <= 0.1 * len(again)
        assert session.use.backend == ("redis" if settings.redis_url else "sqlite")
        assert session.transport.use.throttled_seconds == 0


def test_hit_is_no_request_and_no_wait(settings: CacheSettings, sandbox: SandboxServer) -> None:
    """A hundred hits in a row wait for nothing: the rate limit counts requests only."""
    sandbox.state.enforces_limits = True
    _filled(settings, sandbox.url)
    waits: list[float] = []

    with Session(settings, sandbox.url) as session:
        session.transport.sleep = waits.append
        for _ in range(10):
            session.ask_releases()

        assert (session.requests, session.use.hits, waits) == (0, 100, [])


def test_a_new_answer_replaces_the_kept_one(
    settings: CacheSettings, sandbox: SandboxServer
) -> None:
    """An answer that is asked for anew, because the kept one is too old, takes its place."""
    _filled(settings, sandbox.url)
    body = f'{{"id": {FIRST}, "title": "Renamed", "price": 3.50}}'
    sandbox.state.faults = [Fault(path="/releases", status=200, body=body)]

    with Session(settings, sandbox.url) as session:
        assert session.cache is not None
        ttl, session.cache._ttl = session.cache._ttl, timedelta()  # noqa: SLF001 - time passes
        session.ask(f"/releases/{FIRST}")
        session.cache._ttl = ttl  # noqa: SLF001 - and the new answer is fresh
        kept = session.ask(f"/releases/{FIRST}")

        assert (kept["title"], str(kept["price"])) == ("Renamed", "3.50")
        assert session.requests == 1


def test_ttl_ends(settings: CacheSettings, sandbox: SandboxServer) -> None:
    """An answer that is older than CACHE_TTL is asked for anew, also when CACHE_TTL got shorter."""
    _filled(settings, sandbox.url)
    shorter = CacheSettings(
        redis_url=settings.redis_url, ttl_seconds=1, directory=settings.file_directory
    )
    with Session(shorter, sandbox.url) as session:
        assert session.cache is not None
        session.cache._ttl *= 0  # noqa: SLF001 - a second passes
        session.ask_releases()
        assert (session.requests, session.use.hits) == (COUNT, 0)


def test_ttl_zero_is_no_cache(tmp_path: Path, sandbox: SandboxServer) -> None:
    """CACHE_TTL=0 keeps nothing, and makes no file."""
    with Session(_settings(tmp_path, ttl=0), sandbox.url) as session:
        assert session.cache is None
        session.ask_releases(2)
        session.ask_releases(2)
        assert session.requests == 4
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("path", ["/releases/1", "/artists/22", "/labels/333"])
def test_catalogue_is_kept(path: str, tmp_path: Path, sandbox: SandboxServer) -> None:
    """Releases, artists and labels are asked for once."""
    sandbox.state.faults = [Fault(path=path, status=200, body='{"id": 1}', times=9)]
    with Session(_settings(tmp_path), sandbox.url) as session:
        session.ask(path)
        session.ask(path)
        assert (session.requests, session.use) == (1, CacheUse(backend="sqlite", hits=1, misses=1))


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/identity",
        "/users/velvet-crates/inventory",
        "/inventory/export",
        "/releases/1/rating/joe",
        "/releases/\u0661",
        "/releases/1\n",
        "/marketplace/listings/1",
    ],
)
def test_nothing_else_is_kept(path: str) -> None:
    """Decisions about the inventory, and what is somebody's own, are never taken from a cache."""
    assert not is_kept(path, None)
    assert is_kept("/releases/1", None)
    assert not is_kept("/releases/1", {"curr_abbr": "EUR"})


def test_inventory_is_asked_for_anew_each_time(
    settings: CacheSettings, sandbox: SandboxServer
) -> None:
    """What decides about listings comes from Discogs each time."""
    with Session(settings, sandbox.url) as session:
        for _ in range(3):
            session.transport.get_json(f"/users/{sandbox.state.seller}/inventory", {"page": 1})
            session.ask("/oauth/identity")
        assert (session.requests, session.use.hits, session.use.misses) == (6, 0, 0)


@pytest.mark.parametrize("status", [404, 500, 403])
def test_failures_are_not_kept(
    settings: CacheSettings, sandbox: SandboxServer, status: int
) -> None:
    """An error is asked about again the next time."""
    sandbox.state.faults = [Fault(path="/releases", status=status)]
    with Session(settings, sandbox.url) as session:
        with pytest.raises(DiscosyncError):
            session.ask(f"/releases/{FIRST}")
        assert session.ask(f"/releases/{FIRST}")["id"] == FIRST


def test_cache_is_of_one_api_and_of_every_token(
    settings: CacheSettings, sandbox: SandboxServer
) -> None:
    """Another token shares what is public; another API address shares nothing."""
    _filled(settings, sandbox.url)
    with Session(settings, sandbox.url, token="another") as session:  # noqa: S106 - made up
        session.ask_releases()
        assert session.requests == 0
    with Session(settings, sandbox.url.replace("127.0.0.1", "localhost")) as session:
        session.ask_releases()
        assert session.requests == COUNT


# What the cache never holds.


def _raw_file(settings: CacheSettings) -> bytes:
    return b"".join(path.read_bytes() for path in settings.file_directory.iterdir())


def test_no_secret_is_stored(
    settings: CacheSettings, sandbox: SandboxServer, request: pytest.FixtureRequest
) -> None:
    """Neither the token nor a cookie nor a private header is in the file or in the Redis."""
    headers = {"Set-Cookie": "session=cOoKiE-1", "X-Private": "pRiVaTe-1"}
    sandbox.state.faults = [Fault(path="/releases", times=COUNT, headers=headers)]
    _filled(settings, sandbox.url)

    if settings.redis_url is None:
        stored = _raw_file(settings)
    else:
        stored = request.getfixturevalue("redis_server").dump()
        assert not settings.file_directory.exists()

    assert f"{sandbox.url}/releases/{FIRST}".encode() in stored
    for secret in (TOKEN, "Authorization", "cOoKiE-1", "pRiVaTe-1", PASSWORD, "discosync/0"):
        assert secret.encode() not in stored, secret


def test_file_is_its_owners(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Directory and files are readable by nobody else, whatever the umask."""
    before = os.umask(0)
    try:
        with Session(_settings(tmp_path), sandbox.url) as session:
            session.ask_releases()
            modes = {path.name: path.stat().st_mode & 0o777 for path in session_files(tmp_path)}
    finally:
        os.umask(before)
    assert modes.pop("cache") == 0o700
    assert FILE_NAME in modes
    assert set(modes.values()) == {0o600}


def session_files(directory: Path) -> Iterator[Path]:
    """Give the cache's directory and what is in it."""
    yield directory / "cache"
    yield from (directory / "cache").iterdir()


def test_expired_answers_do_not_pile_up(tmp_path: Path, sandbox: SandboxServer) -> None:
    """What has expired leaves the file with the next run that keeps something."""
    settings = _settings(tmp_path)
    _filled(settings, sandbox.url)
    with sqlite3.connect(settings.file_directory / FILE_NAME) as file:
        file.execute("UPDATE answers SET expires = 1 WHERE key <> (SELECT min(key) FROM answers)")
    with Session(settings, sandbox.url) as session:
        session.ask(f"/releases/{FIRST + COUNT}")
    with sqlite3.connect(settings.file_directory / FILE_NAME) as file:
        assert file.execute("SELECT count(*) FROM answers").fetchone()[0] == 2


def test_redis_keys_have_an_end(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer
) -> None:
    """Every key is ours by its prefix, and goes away by itself."""
    _filled(_settings(tmp_path, redis_server.url), sandbox.url)
    with redis_server.client() as client:
        keys = list(client.scan_iter())
        assert len(keys) == COUNT
        assert all(key.startswith(b"discosync:") for key in keys)
        assert all(0 < client.ttl(key) <= 3700 for key in keys)


# What goes wrong, and changes speed only.


def _goes_on(settings: CacheSettings, url: str, *, backend: str | None) -> str:
    """Every answer comes, twice; one warning is given, and returned."""
    with Session(settings, url) as session:
        first, again = session.ask_releases(), session.ask_releases()
        assert [x["id"] for x in first] == list(range(FIRST, FIRST + COUNT))
        assert again == first
        assert session.use.backend == backend
        assert len(session.warnings) == 1, session.warnings
        assert PASSWORD not in session.warnings[0]
        return session.warnings[0]


def test_redis_refuses(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Nobody listens: the file takes its place."""
    settings = _settings(tmp_path, f"redis://joe:{PASSWORD}@127.0.0.1:1/0")
    assert "cannot be reached" in _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_is_tried_once(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that refuses is not called again and again: the library's own way takes seconds."""
    monkeypatch.setattr("redis.retry.sleep", lambda _seconds: pytest.fail("it waits to try again"))
    settings = _settings(tmp_path, "redis://127.0.0.1:1/0")
    _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_is_silent(redis_server: Redis, tmp_path: Path, sandbox: SandboxServer) -> None:
    """It accepts and never answers: asked once, for half a second."""
    redis_server.pause()
    settings = _settings(tmp_path, redis_server.url)
    assert "in time" in _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_dies_in_the_middle(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer
) -> None:
    """It ends while a run asks it: the rest of the run goes on without it."""
    with Session(_settings(tmp_path, redis_server.url), sandbox.url) as session:
        session.ask_releases(5)
        redis_server.stop()
        assert [x["id"] for x in session.ask_releases()] == list(range(FIRST, FIRST + COUNT))
        assert session.use.backend == "sqlite"
        assert len(session.warnings) == 1


def test_redis_is_full(redis_server: Redis, tmp_path: Path, sandbox: SandboxServer) -> None:
    """It takes nothing more, and drops nothing either."""
    with redis_server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
    settings = _settings(tmp_path, redis_server.url)
    assert "full" in _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_wants_another_password(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer
) -> None:
    """A wrong password is a Redis that cannot be used."""
    settings = _settings(tmp_path, f"unix://:wrong@{redis_server.socket}")
    assert "password" in _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_url_is_odd(tmp_path: Path, sandbox: SandboxServer) -> None:
    """What the library cannot read of an address is no error, and is not quoted."""
    settings = _settings(tmp_path, f"redis://:{PASSWORD}@127.0.0.1:1/0?socket_timeout={PASSWORD}")
    assert "REDIS_URL" in _goes_on(settings, sandbox.url, backend="sqlite")


@pytest.mark.parametrize(
    "query", ["ssl_cert_reqs=none", "foo=bar", "db=x", "retry=3", "encoding=odd"]
)
def test_redis_url_has_odd_parameters(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer, query: str
) -> None:
    """What the library does not take, at whichever moment it notices: the file takes its place."""
    settings = _settings(tmp_path, f"{redis_server.url}?{query}")
    assert "REDIS_URL" in _goes_on(settings, sandbox.url, backend="sqlite")


def test_redis_answers_with_an_error(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer
) -> None:
    """Its refusal is shown in its own words, and is no garbage in the cache."""
    settings = _settings(tmp_path, f"{redis_server.url}?db=99")
    said = _goes_on(settings, sandbox.url, backend="sqlite")
    assert "DB index is out of range" in said
    assert "cache clear" not in said


def test_redis_package_is_missing(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the file is used, and the warning says what to install."""
    monkeypatch.setitem(sys.modules, "redis", None)
    settings = _settings(tmp_path, "redis://127.0.0.1:6379/0")
    assert "pip install '.[redis]'" in _goes_on(settings, sandbox.url, backend="sqlite")


class Bomb:
    """A pickle of it runs code when it is read."""

    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return os.mkdir, ("bomb-went-off",)


GARBAGE = [
    b"",
    b"\xff\xfe\x00garbage",
    b"null",
    b"[1, 2]",
    b'{"status_code": "many"}',
    b'{"headers": 5, "url": []}',
    b"[" * 100_000,
    b'{"_content": "eyJh", "status_code": 200, "url": "URL", "created_at": "NOW"}',
    b'{"_content": "W10=", "status_code": 200, "url": "URL", "created_at": "NOW"}',
    b'{"_content": "e30=", "status_code": 200, "url": "http://elsewhere/releases/1"}',
    pickle.dumps(Bomb()),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_replaced(
    settings: CacheSettings,
    sandbox: SandboxServer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    garbage: bytes,
) -> None:
    """What cannot be read is asked for anew and replaced, with one warning, and never run."""
    monkeypatch.chdir(tmp_path)
    garbage = garbage.replace(b"NOW", datetime.now(UTC).isoformat().encode())
    _filled(settings, sandbox.url)
    if settings.redis_url is None:
        with sqlite3.connect(settings.file_directory / FILE_NAME) as file:
            for key, value in file.execute("SELECT key, value FROM answers").fetchall():
                own = garbage.replace(b"URL", _url_in(value))
                file.execute("UPDATE answers SET value = ? WHERE key = ?", (own, key))
    else:
        with request.getfixturevalue("redis_server").client() as client:
            for key in list(client.scan_iter()):
                client.set(key, garbage.replace(b"URL", _url_in(client.get(key))))

    backend = "redis" if settings.redis_url else "sqlite"
    assert "cannot be read" in _goes_on(settings, sandbox.url, backend=backend)
    with Session(settings, sandbox.url) as session:
        session.ask_releases()
        assert (session.requests, session.warnings) == (0, [])
    assert not (tmp_path / "bomb-went-off").exists()


def _url_in(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return raw.partition(b'"url": "')[2].partition(b'"')[0]


def test_redis_key_of_another_type_is_replaced(
    redis_server: Redis, tmp_path: Path, sandbox: SandboxServer
) -> None:
    """A list under our key is garbage like any other."""
    settings = _settings(tmp_path, redis_server.url)
    _filled(settings, sandbox.url)
    with redis_server.client() as client:
        for key in list(client.scan_iter()):
            client.delete(key)
            client.rpush(key, "x")
    _goes_on(settings, sandbox.url, backend="redis")


def test_file_is_locked(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Somebody holds the file: the run waits half a second, once, and goes on without."""
    settings = _settings(tmp_path)
    _filled(settings, sandbox.url)
    holder = sqlite3.connect(settings.file_directory / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in _goes_on(settings, sandbox.url, backend=None)
    finally:
        holder.close()


def test_file_is_locked_in_the_middle(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Somebody takes the file while a run uses it: it goes on without."""
    settings = _settings(tmp_path)
    with Session(settings, sandbox.url) as session:
        session.ask_releases(2)
        holder = sqlite3.connect(settings.file_directory / FILE_NAME, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            session.ask_releases()
        finally:
            holder.close()
        assert (session.use.backend, len(session.warnings)) == (None, 1)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_file_cannot_be_made(tmp_path: Path, sandbox: SandboxServer, what: str) -> None:
    """Something else stands where the file or its directory should be."""
    settings = _settings(tmp_path)
    if what == "directory":
        settings.file_directory.write_text("a file")
    else:
        (settings.file_directory / FILE_NAME).mkdir(parents=True)
    _goes_on(settings, sandbox.url, backend=None)


@pytest.mark.parametrize("keep", [0, 100])
def test_file_is_damaged(tmp_path: Path, sandbox: SandboxServer, keep: int) -> None:
    """A file that is no database, or is one no longer, is made anew: one warning, not for ever."""
    settings = _settings(tmp_path)
    _filled(settings, sandbox.url)
    path = settings.file_directory / FILE_NAME
    path.write_bytes(path.read_bytes()[:keep] + b"garbage" * 2000)
    assert "a new file" in _goes_on(settings, sandbox.url, backend="sqlite")
    _is_whole(settings, sandbox.url)


def _is_whole(settings: CacheSettings, url: str) -> None:
    """The next run finds every answer, and has nothing to say."""
    with Session(settings, url) as session:
        session.ask_releases()
        assert (session.requests, session.warnings) == (0, [])


def test_file_is_damaged_in_the_middle(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Damage that only reading meets is no different."""
    settings = _settings(tmp_path)
    _filled(settings, sandbox.url)
    path = settings.file_directory / FILE_NAME
    head = path.read_bytes()[:4096]  # the page that names the tables
    path.write_bytes(head + b"garbage!" * ((path.stat().st_size - 4096) // 8))
    assert "a new file" in _goes_on(settings, sandbox.url, backend="sqlite")
    _is_whole(settings, sandbox.url)


def test_file_has_another_table(tmp_path: Path, sandbox: SandboxServer) -> None:
    """A database that is none of ours, or of another version, is made anew, too."""
    settings = _settings(tmp_path)
    settings.file_directory.mkdir()
    with sqlite3.connect(settings.file_directory / FILE_NAME) as file:
        file.execute("CREATE TABLE answers (other INTEGER)")
    assert "a new file" in _goes_on(settings, sandbox.url, backend="sqlite")
    _is_whole(settings, sandbox.url)


def test_new_file_of_another_run_stays(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Of two runs that find the damage, the second does not delete what the first has made."""
    settings = _settings(tmp_path)
    settings.file_directory.mkdir()
    path = settings.file_directory / FILE_NAME
    path.write_bytes(b"garbage" * 2000)
    with pytest.raises(DamagedFile) as caught:
        open_file_store(settings.file_directory)
    aside = path.rename(path.with_name("aside"))  # keeps its inode taken
    _filled(settings, sandbox.url)
    delete_damaged(caught.value)
    _is_whole(settings, sandbox.url)
    assert aside.exists()


def test_disk_is_full(tmp_path: Path, sandbox: SandboxServer) -> None:
    """The file can be opened and cannot grow."""
    settings = _settings(tmp_path)
    with Session(settings, sandbox.url):
        pass
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        _goes_on(settings, sandbox.url, backend=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_nothing_works(tmp_path: Path, sandbox: SandboxServer) -> None:
    """Neither Redis nor file: every answer comes all the same, with one warning for both."""
    (tmp_path / "cache").write_text("a file")
    settings = _settings(tmp_path, f"redis://:{PASSWORD}@127.0.0.1:1/0")
    _goes_on(settings, sandbox.url, backend=None)
