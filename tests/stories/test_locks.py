"""Who is named as the holder of a lock, and who waits for whom."""

from contextlib import ExitStack

import pytest

from discosync.database.connection.engine import open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from discosync.errors import Locked
from tests.support.program import Program
from tests.support.shop import NOON


def test_who_was_refused_does_not_sign_for_a_shared_lock(sqlite_program: Program) -> None:
    """The lock goes on naming the run that holds it, when another came and went."""
    database = open_database(sqlite_program.database_url, read_only=True, application="tests")
    holders = [Holder(command=f"run {n}", run_id=str(n), started_at=NOON) for n in range(3)]
    with ExitStack() as stack:
        stack.enter_context(hold_lock(database, MAINTENANCE_LOCK, holders[0], is_shared=True))
        with hold_lock(database, MAINTENANCE_LOCK, holders[1], is_shared=True):
            pass
        with (
            pytest.raises(Locked, match="run 0"),
            hold_lock(database, MAINTENANCE_LOCK, holders[2]),
        ):
            pass


def test_a_command_that_waits_unasked_says_for_whom(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody sits before a blank screen while somebody else's run goes on."""
    database = open_database(program.database_url, read_only=True, application="discosync sync")
    program("db", "upgrade")
    holder = Holder(command="discosync sync", run_id="x", started_at=NOON)
    with hold_lock(database, MAINTENANCE_LOCK, holder, is_shared=True):
        waiting = hold_lock(database, MAINTENANCE_LOCK, holder, wait_seconds=0.3)
        with pytest.raises(Locked), waiting:
            pass
    assert "waiting 0.3 s at most for process" in caplog.text
    assert "discosync sync" in caplog.text
