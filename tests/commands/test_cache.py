"""`cache info` and `cache clear`, and what a run says of its cache and its shared limit."""

import json
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from discosync.discogs.cache.answer_cache import open_cache
from discosync.discogs.cache.answer_stores import FILE_NAME
from discosync.discogs.http.transport import Transport
from discosync.sandbox.server import SandboxServer
from discosync.settings.caching import load_cache_settings
from tests.support.program import TOKEN, Program
from tests.support.redis import PASSWORD, Redis

FIRST = 500_000


@pytest.fixture
def program(sqlite_program: Program, sandbox: SandboxServer) -> Program:
    """The program with a cache directory of its own."""
    sqlite_program.environment["XDG_CACHE_HOME"] = str(sqlite_program.directory / "caches")
    return sqlite_program


def _directory(program: Program) -> Path:
    return program.directory / "caches" / "discosync"


def _fill(program: Program, monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
    """Ask for releases, as an enrichment would."""
    environment = program.environment
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
    cache = open_cache(load_cache_settings(environ=environment), pytest.fail)
    url = environment["DISCOGS_API_URL"]
    transport = Transport(base_url=url, token=TOKEN, cache=cache)
    for number in range(count):
        transport.get_json(f"/releases/{FIRST + number}")
    transport.close()
    assert cache is not None
    cache.close()


@pytest.fixture(params=["sqlite", "redis"])
def filled(
    request: pytest.FixtureRequest, program: Program, monkeypatch: pytest.MonkeyPatch
) -> Program:
    """The program with three answers in its cache, in a file and in a real Redis."""
    if request.param == "redis":
        program.environment["REDIS_URL"] = request.getfixturevalue("redis_server").url
    _fill(program, monkeypatch)
    return program


def test_info_says_what_is_kept(filled: Program) -> None:
    """Backend, place, entries, size, time to live and ages, without the password."""
    result = filled("cache", "info", "--json")
    state = result.report
    backend = "redis" if filled.environment["REDIS_URL"] else "sqlite"

    assert result.exit_code == 0
    assert (state["backend"], state["entries"], state["reachable"]) == (backend, 3, True)
    assert (state["ttl_seconds"], state["fault"]) == (3600, None)
    assert state["bytes"] > 100
    oldest, newest = (datetime.fromisoformat(state[key]) for key in ("oldest", "newest"))
    assert datetime.now(UTC) - timedelta(minutes=5) < oldest <= newest <= datetime.now(UTC)
    shown = filled("cache", "info")
    assert "3" in shown.stdout
    assert PASSWORD not in result.stdout + shown.stdout


def test_clear_deletes_every_answer(filled: Program) -> None:
    """It says how many there were, and nothing is left; clearing nothing is fine."""
    assert filled("cache", "clear", "--json").report == {"cleared": 3}
    assert filled("cache", "info", "--json").report["entries"] == 0
    assert filled("cache", "clear").stdout == "0 answers deleted\n"


def test_clear_touches_only_our_answers(
    program: Program, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs' keys and the shared rate limit stay."""
    program.environment["REDIS_URL"] = redis_server.url
    _fill(program, monkeypatch)
    assert program("sync").exit_code == 0
    with redis_server.client() as client:
        client.set("shop:basket", "theirs")
        client.set("discosync-shop:answers:1", "theirs, too")
        before = set(client.scan_iter())
        assert program("cache", "clear", "--json").report == {"cleared": 3}
        left = set(client.scan_iter())
    limits = {key for key in before if key.startswith(b"discosync:limit:")}
    assert left == {b"shop:basket", b"discosync-shop:answers:1"} | limits


def test_info_without_anything(program: Program) -> None:
    """Before the first answer there is nothing, and looking makes nothing."""
    state = program("cache", "info", "--json").report
    assert (state["entries"], state["reachable"], state["oldest"]) == (0, True, None)
    assert state["where"] == str(_directory(program) / FILE_NAME)
    assert not _directory(program).exists()
    assert "not at all" in program("cache", "info", CACHE_TTL="0").stdout


def test_redis_that_is_down(program: Program) -> None:
    """`info` says so; `clear` ends with 16, for it did not do what it was asked."""
    url = f"redis://joe:{PASSWORD}@127.0.0.1:1/0"
    state = program("cache", "info", "--json", REDIS_URL=url)
    assert (state.exit_code, state.report["reachable"]) == (0, False)
    assert state.report["where"] == "redis://127.0.0.1:1/0"
    assert (state.report["entries"], state.report["bytes"]) == (None, None)
    cleared = program("cache", "clear", REDIS_URL=url)
    assert cleared.exit_code == 16
    assert "cannot be reached" in cleared.stderr
    assert PASSWORD not in state.stdout + cleared.stderr + program("cache", "info").stdout


@pytest.mark.parametrize("url", [f"http://u:{PASSWORD}@host/", f"redis://:{PASSWORD}@h:port/0"])
def test_bad_redis_url_is_named_and_not_quoted(program: Program, url: str) -> None:
    """A value that is no address names the variable, and keeps the password."""
    result = program("cache", "info", REDIS_URL=url)
    assert result.exit_code == 10
    assert "REDIS_URL" in result.stderr
    assert "example: redis://localhost:6379/0" in result.stderr
    assert PASSWORD not in result.stdout + result.stderr


def test_bad_ttl_is_named(program: Program) -> None:
    """CACHE_TTL is a whole number of seconds."""
    result = program("cache", "info", CACHE_TTL="1h")
    assert result.exit_code == 10
    assert "CACHE_TTL" in result.stderr


def test_damaged_file_is_cleared_away(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """`info` says that the file is damaged, `clear` makes room for a new one."""
    _fill(program, monkeypatch)
    path = _directory(program) / FILE_NAME
    path.write_bytes(b"garbage" * 5000)

    fault = program("cache", "info", "--json").report["fault"]
    assert "cannot be used" in fault
    assert "discosync cache clear" in fault
    assert program("cache", "clear").exit_code == 0
    _fill(program, monkeypatch)
    assert program("cache", "info", "--json").report["entries"] == 3


def test_file_in_use_is_not_cleared(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else writes, `clear` ends with 16, and deletes nothing."""
    _fill(program, monkeypatch)
    holder = sqlite3.connect(_directory(program) / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert program("cache", "clear").exit_code == 16
    finally:
        holder.close()
    assert program("cache", "info", "--json").report["entries"] == 3


def test_sync_shares_the_limit_of_this_machine(program: Program, sandbox: SandboxServer) -> None:
    """Each request of a sync is in the window that other processes look at; no answer is kept."""
    sandbox.state.enforces_limits = True
    assert program("sync").exit_code == 0
    (path,) = _directory(program).iterdir()
    assert len(path.read_text().splitlines()) == len(sandbox.state.requests)


def test_sync_with_a_redis_in_trouble_is_a_sync_with_a_warning(program: Program) -> None:
    """Whatever a Redis does, the inventory comes; one warning says so."""
    result = program("sync", "--json", REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0")
    assert result.exit_code == 3
    assert [problem["code"] for problem in result.report["problems"]] == ["cache_unavailable"]
    assert result.counts["added"] == 20
    assert PASSWORD not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("query", "why"), [("ssl_cert_reqs=none", "REDIS_URL"), ("db=99", "DB index is out of range")]
)
def test_redis_that_cannot_be_used_so(
    program: Program, redis_server: Redis, query: str, why: str
) -> None:
    """A parameter of REDIS_URL that makes no sense stops no sync; it and `info` say why."""
    url = f"{redis_server.url}?{query}"
    result = program("sync", "--json", REDIS_URL=url)
    assert result.exit_code == 3
    (problem,) = result.report["problems"]
    assert problem["code"] == "cache_unavailable"
    assert why in problem["text"]
    state = program("cache", "info", "--json", REDIS_URL=url)
    assert (state.exit_code, state.report["reachable"]) == (0, False)
    assert why in state.report["fault"]
    cleared = program("cache", "clear", REDIS_URL=url)
    assert cleared.exit_code == 16
    assert why in cleared.stderr
    assert PASSWORD not in result.stdout + state.stdout + cleared.stderr


def test_info_without_the_redis_package(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, `info` says what to install, and `clear` is not ready."""
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.exceptions", None)
    monkeypatch.delitem(sys.modules, "discosync.discogs.cache.redis_answers", raising=False)
    url = "redis://127.0.0.1:1/0"
    state = program("cache", "info", "--json", REDIS_URL=url)
    assert "pip install" in state.report["fault"]
    assert program("cache", "clear", REDIS_URL=url).exit_code == 10


@pytest.mark.parametrize(("command", "statuses"), [("info", "0 1 2 10"), ("clear", "0 1 2 10 16")])
def test_help_lists_every_status(program: Program, command: str, statuses: str) -> None:
    """What a cache command can end with stands in its help."""
    shown = program("cache", command, "--help").stdout.partition("Exit statuses:")[2]
    listed = [line.split()[0] for line in shown.splitlines() if line.strip()]
    assert listed == [*statuses.split(), "130"]


def test_rehearsal_asks_no_redis(program: Program) -> None:
    """`sync --sandbox` is nobody else's business: not even a Redis that is down disturbs it."""
    result = program("sync", "--sandbox", "--json", REDIS_URL="redis://127.0.0.1:1/0")
    assert (result.exit_code, result.report["problems"]) == (0, [])


def test_status_shows_the_hit_rate(program: Program) -> None:
    """What the last enrichment was spared stands in `status`."""
    program("sync")
    program("sync")
    assert program("status", "--json").report["cache"] == {"hit_rate": None}
    row = program.query("SELECT id, report FROM sync_runs ORDER BY id")[1]
    cache = {"backend": "sqlite", "hits": 92, "misses": 8, "hit_rate": 0.92}
    program.query(
        "UPDATE sync_runs SET command = 'enrich', report = :report WHERE id = :id",
        report=json.dumps({**json.loads(row["report"]), "command": "enrich", "cache": cache}),
        id=row["id"],
    )
    for saved in (program.directory / "reports").iterdir():
        saved.unlink()
    assert program("status", "--json").report["cache"] == {"hit_rate": 0.92}
    assert "92%" in program("status").stdout
