"""Where each flag stands, as the database says."""

import pytest

from discosync.core.flags import Flag, FlagState
from discosync.database.connection.engine import Database, open_database
from discosync.database.flags.states import load_flag_states, load_has_flags, state_of
from discosync.errors import StorageFailed

_ROW = {
    "flag": Flag.USE_CONTENT_HASH.value,
    "percent": 25,
    "rolled_back_at": None,
    "rolled_back_by": None,
    "reason": None,
    "run_id": None,
}


def test_flag_of_a_newer_version_is_passed_over(filled: Database) -> None:
    """A row of a flag that this version does not know says nothing about the others."""
    with filled.session(writes=True) as session:
        session.execute("DELETE FROM feature_flags")
        for flag in (Flag.USE_CONTENT_HASH.value, "USE_SOMETHING_NEWER"):
            session.execute(
                "INSERT INTO feature_flags (flag, percent) VALUES (:flag, 25)", flag=flag
            )
        states = load_flag_states(session)

    assert states == {Flag.USE_CONTENT_HASH: FlagState(percent=25)}


@pytest.mark.parametrize("percent", [-1, 101, "50", None])
def test_percentage_that_makes_no_sense_is_refused(percent: object) -> None:
    """To guess could switch something on."""
    with pytest.raises(StorageFailed) as told:
        state_of({**_ROW, "percent": percent})
    assert told.value.code == "bad_flag"


def test_flag_is_rolled_back_as_soon_as_there_is_a_moment() -> None:
    """Who did it, and why, may be unknown: the flag is off all the same."""
    state = state_of({**_ROW, "rolled_back_at": "2026-03-01 10:00:00.000000"})
    assert state.rolled_back is not None
    assert (state.rolled_back.changed_by, state.rolled_back.reason) == ("?", "?")
    assert state.rolled_back.run_id is None


def test_database_without_a_schema_has_no_flags(database_url: str) -> None:
    """A missing file is not made by asking."""
    database = open_database(database_url, read_only=True, application="tests")
    assert not load_has_flags(database)
    assert database.path is None or not database.path.exists()


def test_database_with_the_schema_has_flags(filled: Database) -> None:
    """The newest schema has their table."""
    assert load_has_flags(filled)
