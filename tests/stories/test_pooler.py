"""Postgres behind a pooler in transaction mode: everything as if there were none, or refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from discosync.database.connection import postgres as postgres_connections
from discosync.database.connection.engine import open_database
from discosync.database.past.thinning import give_space_back
from discosync.sandbox.server import SandboxServer
from tests.support.pooler import (
    Pooling,
    find_pgbouncer,
    own_pooler,
    real_pgbouncer,
    url_through,
)
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_shop, with_changed, write_export
from tests.support.waiting import ENDLESS_SECONDS, wait_until

_POOLERS = {"own": own_pooler, **({"pgbouncer": real_pgbouncer} if find_pgbouncer() else {})}


@pytest.fixture(params=_POOLERS)
def pooling(request: pytest.FixtureRequest) -> Pooling:
    """A pooler of our own, and PgBouncer where it is installed."""
    return _POOLERS[request.param]


def _behind(program: Program, directory: Path) -> Program:
    url = url_through(directory, program.database_url)
    return replace(program, environment={**program.environment, "DATABASE_URL": url})


@pytest.fixture
def pooled(postgres_program: Program, postgres: Postgres, pooling: Pooling) -> Iterator[Program]:
    """The program behind a pooler that has just the two connections that a run needs."""
    with pooling(postgres, 2) as directory:
        yield _behind(postgres_program, directory)


def test_every_hour_goes_through_two_connections(
    pooled: Program, postgres_program: Program, sandbox: SandboxServer
) -> None:
    """Runs that load, change and leave alone do the same behind a pooler, and leave no lock."""
    path = write_export(pooled.directory / "a.csv", make_shop(60))
    other = write_export(pooled.directory / "b.csv", with_changed(make_shop(60), 3, comments="new"))
    counts = [
        pooled("sync", "--from-file", str(p), "--json").counts for p in (path, other, path, path)
    ]

    assert [c.get("updated", 0) for c in counts] == [0, 1, 1, 0]
    assert pooled("enrich", "--names-only", "--json").exit_code == 0
    for reads in (["status"], ["history", "4400000004"], ["stats"], ["runs"], ["flags", "list"]):
        assert pooled(*reads).exit_code in {0, 13}, reads
    assert not postgres_program.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")


def test_two_runs_of_a_seller_are_kept_apart(pooled: Program, sandbox: SandboxServer) -> None:
    """The second run is refused while the first waits for Discogs; a third one then takes over."""
    sandbox.state.export_seconds = ENDLESS_SECONDS
    first = pooled.start("sync", "--source", "export")
    wait_until(lambda: "POST /inventory/export" in sandbox.state.requests)
    try:
        second = pooled.run("sync", "--source", "export")
    finally:
        first.kill()
        first.communicate()
    sandbox.state.export_seconds = 0
    sandbox.state.exports.clear()

    assert second.exit_code == 11
    third = pooled("sync", "--source", "export", "--lock-wait", "60", "--json")
    assert third.counts["added"] == 20


def test_pool_of_one_is_refused(
    postgres_program: Program,
    postgres: Postgres,
    pooling: Pooling,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that would wait for its own second connection says that the pool is too small."""
    monkeypatch.setattr(postgres_connections, "_ANSWER_SECONDS", 1.0)
    path = write_export(postgres_program.directory / "a.csv", make_shop(5))
    with pooling(postgres, 1) as directory:
        result = _behind(postgres_program, directory)("sync", "--from-file", str(path))

    assert result.exit_code == 10
    assert "each run needs two" in result.stderr
    assert not postgres_program.query("SELECT 1 FROM pg_tables WHERE tablename = 'listings'")


def test_backup_is_refused(pooled: Program) -> None:
    """`pg_dump` would leave its settings in the pool, where other programs meet them."""
    pooled("sync")

    result = pooled("db", "backup")

    assert result.exit_code == 10
    assert "server's own address" in result.stderr


def test_space_is_not_given_back_through_a_pooler(pooled: Program) -> None:
    """The limit of waiting that it needs would be left behind for the next program."""
    pooled("sync")
    database = open_database(pooled.database_url, read_only=False, application="tests")

    assert "pooler" in str(give_space_back(database))


def test_statement_pooling_is_refused(postgres_program: Program, postgres: Postgres) -> None:
    """A pooler that keeps no transaction together is named, and what to set instead."""
    if find_pgbouncer() is None:
        from discosync.database.connection.address import parse_address  # noqa: PLC0415
        from discosync.database.connection.postgres_failures import postgres_failure  # noqa: PLC0415

        said = Exception("transaction blocks not allowed in statement pooling mode")
        told = postgres_failure(parse_address("postgresql://h/d"), said)
        assert told is not None
        assert told.exit_status == 10
        return
    with real_pgbouncer(postgres, 5, mode="statement") as directory:
        result = _behind(postgres_program, directory)("status")

    assert result.exit_code == 10
    assert "statement pooling" in result.stderr
