"""Locks on Postgres that a cut connection cannot share out, whoever cuts it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from discosync.database.schema.migrating import upgrade_schema
from discosync.errors import Locked, StorageFailed
from tests.support.postgres import Postgres
from tests.support.shop import NOON

HOLDER = Holder(command="discosync sync", run_id="r1", started_at=NOON)

Opening = Callable[[Database], AbstractContextManager[Any]]
WAYS: dict[str, Opening] = {
    "plain": lambda database: database.session(writes=True),
    "alchemy": lambda database: database.alchemy_session(writes=True),
    "migration": lambda database: database.migrating(),
}


@pytest.fixture
def mine(postgres: Postgres) -> Database:
    """A database with its schema, as one run sees it."""
    database = open_database(postgres.create_database(), read_only=False, application="one")
    upgrade_schema(database)
    return database


def _as_seen_by_another(database: Database) -> Database:
    return open_database(database.address.text, read_only=False, application="other pid=7 host=h")


def _cut(database: Database) -> None:
    """End the connection that holds the locks of `database`, and wait until that is done."""
    assert database.locks.session is not None
    pid = database.locks.session.driver.server_pid
    with _as_seen_by_another(database).session() as session:
        assert session.value("SELECT pg_terminate_backend(:pid, 60000)", pid=pid)


@pytest.mark.parametrize("opening", WAYS.values(), ids=WAYS)
def test_nothing_is_written_after_a_lock_was_lost(mine: Database, opening: Opening) -> None:
    """A run whose lock went with its connection ends before it writes, whichever way it writes."""
    with hold_lock(mine, "velvet", HOLDER):
        _cut(mine)
        with pytest.raises(StorageFailed) as told, opening(mine):
            pytest.fail("it may not come to writing")

    assert told.value.code == "lock_lost"
    assert "nothing was changed" in told.value.hint


@pytest.mark.parametrize("opening", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("key", ["velvet", MAINTENANCE_LOCK])
def test_next_run_waits_for_a_write_whose_lock_was_lost(
    mine: Database, opening: Opening, key: str
) -> None:
    """A lock that is cut during the write stays taken until that transaction has ended."""
    other, is_shared = _as_seen_by_another(mine), key == MAINTENANCE_LOCK
    with ExitStack() as stack:
        stack.enter_context(hold_lock(mine, key, HOLDER, is_shared=is_shared))
        with opening(mine) as session:
            _cut(mine)
            with pytest.raises(Locked, match="at work"), hold_lock(other, key, HOLDER):
                pass
            session.execute("DELETE FROM flag_events")
        with hold_lock(other, key, HOLDER):
            pass


def test_who_lost_a_lock_to_another_run_does_not_write(mine: Database) -> None:
    """The other run holds the same lock by then: holding means by whom, and not that it is held."""
    with hold_lock(mine, "velvet", HOLDER):
        _cut(mine)
        with (
            hold_lock(_as_seen_by_another(mine), "velvet", HOLDER),
            pytest.raises(StorageFailed),
            mine.session(writes=True),
        ):
            pass


def test_every_lock_of_a_run_must_be_held(mine: Database) -> None:
    """Two locks are held by one connection, and given back one by one."""
    other = _as_seen_by_another(mine)
    with hold_lock(mine, MAINTENANCE_LOCK, HOLDER, is_shared=True):
        with hold_lock(mine, "velvet", HOLDER), mine.session(writes=True):
            pass
        with hold_lock(other, "velvet", HOLDER):
            pass
        with pytest.raises(Locked), hold_lock(other, MAINTENANCE_LOCK, HOLDER):
            pass
    with hold_lock(other, MAINTENANCE_LOCK, HOLDER):
        pass


def test_holding_a_lock_holds_up_no_vacuum(mine: Database) -> None:
    """The open transaction has no snapshot and no number, also where the server gives one."""
    with mine.session(writes=True) as session:
        name = session.value("SELECT current_database()")
        session.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    with hold_lock(mine, "velvet", HOLDER), _as_seen_by_another(mine).session() as session:
        assert mine.locks.session is not None
        row = session.execute(
            "SELECT state, backend_xmin, backend_xid FROM pg_stat_activity WHERE pid = :pid",
            pid=mine.locks.session.driver.server_pid,
        ).fetchone()

    assert row == ("idle in transaction", None, None)


def test_server_does_not_end_the_transaction_that_holds_a_lock(mine: Database) -> None:
    """What a server sets against forgotten transactions does not count for this one."""
    with mine.session(writes=True) as session:
        name = session.value("SELECT current_database()")
        limits = ["idle_in_transaction_session_timeout", "statement_timeout"]
        limits += ["transaction_timeout"] if session.driver.info.server_version >= 170000 else []
        for limit in limits:
            session.execute(f"ALTER DATABASE {name} SET {limit} = '1h'")
    with hold_lock(mine, "velvet", HOLDER):
        assert mine.locks.session is not None
        for limit in limits:
            assert mine.locks.session.value(f"SHOW {limit}") == "0", limit


def test_script_ends_where_a_lock_was_lost(mine: Database) -> None:
    """A program that writes on a connection of its own is kept from it as we are."""
    other = _as_seen_by_another(mine)
    assert mine.locks.script == ""
    with hold_lock(mine, "velvet", HOLDER):
        with other.session(writes=True) as session:
            session.driver.execute(mine.locks.script)
        _cut(mine)
        with pytest.raises(StorageFailed, match="was cut"), other.session(writes=True) as session:
            session.driver.execute(mine.locks.script)
