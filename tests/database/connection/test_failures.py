"""What a driver says becomes one error of ours, with advice."""

import sqlite3

import pytest

from discosync.database.connection.engine import Database
from discosync.database.connection.failures import BUSY, storage_failed
from discosync.errors import StorageFailed


class _DriverError(Exception):
    def __init__(self, said: str, sqlstate: str) -> None:
        super().__init__(said)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "code"), [("55P03", BUSY), ("40P01", BUSY), ("42P01", "database")]
)
def test_giving_way_has_a_code_of_its_own(sqlstate: str, code: str) -> None:
    """Who waited too long for a lock, or met a deadlock, may try again; who wrote nonsense not."""
    assert storage_failed("x", _DriverError("no", sqlstate)).code == code


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("database is locked", "another program holds"),
        ("database or disk is full", "free some space"),
        ("attempt to write a readonly database", "mend the permissions"),
        ("file is not a database", "no SQLite database"),
        ("something new", "look at the message"),
    ],
)
def test_advice_follows_what_was_said(said: str, advice: str) -> None:
    """The hint names the next step, and that nothing was changed."""
    failed = storage_failed("sqlite:///x", sqlite3.OperationalError(said))

    assert said in failed.message
    assert advice in failed.hint
    assert failed.hint.endswith("nothing was changed")


def test_driver_error_does_not_leave_the_database_room(filled: Database) -> None:
    """Both ways to the database raise the same error, and undo what was written."""
    for opening in (filled.session, filled.alchemy_session):
        with pytest.raises(StorageFailed, match="nothing_like_it"), opening(writes=True) as session:
            session.execute("INSERT INTO flag_events SELECT * FROM nothing_like_it")
