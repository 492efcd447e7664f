"""Who is in the way on Postgres is named, with what ends it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from discosync.database.connection import postgres as postgres_connections
from discosync.database.connection.blockers import Blocker, load_lock_holders
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.failures import BUSY
from discosync.database.schema.migrating import upgrade_schema
from discosync.errors import StorageFailed
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until


@pytest.fixture
def shop(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose server gives up waiting for a lock after a second and a half."""
    monkeypatch.setattr(postgres_connections, "_LOOKS_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(postgres_connections, "_LOOKS_EVERY_SECONDS", 0.1)
    url = postgres.create_database()
    database = open_database(url, read_only=False, application="discosync")
    upgrade_schema(database)
    with database.session(writes=True) as session:
        name = session.value("SELECT current_database()")
        session.execute(f"ALTER DATABASE {name} SET lock_timeout = '1500ms'")
    return database


@contextmanager
def another_program(database: Database, *statements: str) -> Iterator[int]:
    """Leave a transaction of the shop's program open; give its process on the server."""
    import psycopg  # noqa: PLC0415 - only tests on Postgres

    with closing(psycopg.connect(database.address.text, application_name="till")) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection.info.backend_pid


def _told(database: Database, opening: Any, statement: str) -> StorageFailed:
    """Be locked out until somebody is named: a machine that stands still sees nobody in time."""
    told: list[StorageFailed] = []

    def is_named() -> bool:
        with pytest.raises(StorageFailed) as raised, opening() as session:
            session.execute(statement)
        told.append(raised.value)
        return "server process" in raised.value.message

    wait_until(is_named)
    assert {error.code for error in told} == {BUSY}
    return told[-1]


def test_row_and_table_locks_name_their_holder(shop: Database) -> None:
    """Whichever lock, and whichever way to the database: process, program, state and way out."""
    rows = "LOCK TABLE feature_flags IN SHARE MODE"
    cases = (
        (rows, lambda: shop.session(writes=True), "DELETE FROM feature_flags"),
        (rows, lambda: shop.alchemy_session(writes=True), "DELETE FROM feature_flags"),
        (rows, shop.migrating, "ALTER TABLE feature_flags ADD COLUMN x integer"),
        ("LOCK TABLE listings", shop.session, "SELECT * FROM listings"),
        ("LOCK TABLE listings", shop.alchemy_session, "SELECT * FROM listings"),
    )
    for held, opening, statement in cases:
        with another_program(shop, held) as pid:
            told = _told(shop, opening, statement)
        assert f"server process {pid} (till, user discosync, in a transaction since" in told.message
        assert "idle in transaction, last statement LOCK" in told.message
        assert f"SELECT pg_terminate_backend({pid})" in told.hint
        assert "nothing was changed" in told.hint


def test_only_the_first_in_a_queue_is_named(shop: Database) -> None:
    """Who waits in the same queue is in nobody's way once the first one is gone."""
    waiting = open_database(shop.address.text, read_only=False, application="queued")
    with (
        another_program(shop, "SELECT * FROM listings") as first,
        ThreadPoolExecutor() as pool,
        waiting.session(writes=True) as session,
    ):
        session.execute("SET LOCAL lock_timeout = '1h'")
        pid = session.driver.server_pid
        queued = pool.submit(session.execute, "LOCK TABLE listings")
        wait_until(lambda: _is_waiting(shop, pid))
        told = _told(shop, shop.session, "SELECT * FROM listings")
        session.driver.cancel()
        with pytest.raises(Exception, match="cancel"):
            queued.result()
        session.driver.rollback()
        session.driver.execute("BEGIN")

    assert told.message.count("server process") == 1
    assert f"server process {first} " in told.message


def _is_waiting(database: Database, pid: int) -> bool:
    with database.session() as session:
        statement = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = :pid"
        return bool(session.value(statement, pid=pid) == "Lock")


def test_nothing_of_a_statement_but_its_first_word_is_shown(shop: Database) -> None:
    """A statement may hold a password: it is not repeated."""
    with another_program(shop, "LOCK TABLE listings", "SELECT 'hunter2' AS secret"):
        told = _told(shop, shop.session, "SELECT * FROM listings")

    assert "last statement SELECT" in told.message
    assert "hunter2" not in f"{told.message}{told.hint}"


def test_holders_of_tables_are_found_afterwards(shop: Database) -> None:
    """For Postgres' own tools: who has a table alone, and who has it at all."""
    with another_program(shop, "SELECT * FROM listings") as reader, shop.session() as session:
        tables = ["listings", "no_such_table"]
        assert load_lock_holders(session.driver, tables, alone_only=True) == ()
        (found,) = load_lock_holders(session.driver, tables, alone_only=False)
        assert found.pid == reader


def test_what_the_server_hides_is_left_out() -> None:
    """Another role's session shows little; a prepared transaction has no process to end."""
    assert str(Blocker(pid=7, application="till")) == "server process 7 (till)"
    assert "pg_prepared_xacts" in str(Blocker(pid=0))
    assert "ROLLBACK PREPARED" in Blocker(pid=0).way_out
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert "since 2026-03-01T12:00:00Z" in str(Blocker(pid=7, since=since))
