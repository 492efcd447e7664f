"""A change of a flag is kept with who, when and why."""

from datetime import UTC, datetime

import pytest

from discosync.core.flags import Flag, FlagChange
from discosync.database.connection.engine import Database
from discosync.database.flags.changes import load_flag_events, roll_back_flag, set_flag
from discosync.database.flags.states import load_flag_states
from discosync.errors import StorageFailed

FLAG = Flag.USE_CSV_EXPORT


def _change(reason: str) -> FlagChange:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return FlagChange(changed_at=moment, changed_by="me@host", reason=reason, run_id=None)


def test_rollback_keeps_the_share_that_was_rolled_out(filled: Database) -> None:
    """Rolling back twice leaves the newer reason, two events, and still the share."""
    for write, reason in ((set_flag, "try"), (roll_back_flag, "bad"), (roll_back_flag, "worse")):
        with filled.session(writes=True) as session:
            if write is set_flag:
                set_flag(session, FLAG, 25, _change(reason))
            else:
                roll_back_flag(session, FLAG, _change(reason))

    with filled.session() as session:
        state = load_flag_states(session)[FLAG]
        events = load_flag_events(session, FLAG)

    assert state.percent == 25
    assert state.rolled_back == _change("worse")
    assert [event.reason for event in events] == ["try", "bad", "worse"]
    assert events[0].changed_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_row_that_makes_no_sense_is_refused_and_can_be_set_right(filled: Database) -> None:
    """A guess could switch something on; setting the flag says "?" for what was there before."""
    with filled.session(writes=True) as session:
        session.execute("INSERT INTO feature_flags (flag, percent) VALUES ('USE_CSV_EXPORT', 700)")
    with filled.session() as session, pytest.raises(StorageFailed, match="700"):
        load_flag_states(session)

    with filled.session(writes=True) as session:
        event = set_flag(session, FLAG, 100, _change("mended"))

    assert event.state_before == "?"
    with filled.session() as session:
        assert load_flag_states(session)[FLAG].percent == 100
