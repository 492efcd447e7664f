"""Change where a flag stands, and keep an event of every change."""

from discosync.core.flags import Flag, FlagChange, FlagEvent, FlagState
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_moment
from discosync.database.flags.states import COLUMNS, state_of
from discosync.errors import StorageFailed

_EVENT_COLUMNS = tuple(FlagEvent.__slots__)


def roll_back_flag(session: Session, flag: Flag, change: FlagChange) -> FlagEvent:
    """Switch a flag off; the share that was rolled out is remembered.

    Rolling back twice leaves another event, and the newer reason.
    """
    before = _lock_state(session, flag)
    percent = before.percent if before is not None else 0
    after = FlagState(percent=percent, rolled_back=change)
    return _write(session, flag, before, after, change)


def set_flag(session: Session, flag: Flag, percent: int, change: FlagChange) -> FlagEvent:
    """Roll a flag out to a share, and lift a rollback; `change` says who, when and why."""
    before = _lock_state(session, flag)
    return _write(session, flag, before, FlagState(percent=percent), change)


def _lock_state(session: Session, flag: Flag) -> FlagState | None:
    """Load a flag's state and hold its row until the commit; None for a row that makes no sense."""
    # Somebody else may make the row at the same moment.
    session.execute(
        "INSERT INTO feature_flags (flag, percent) VALUES (:flag, 100) "
        "ON CONFLICT (flag) DO NOTHING",
        flag=flag.value,
    )
    row = session.execute(
        f"SELECT {', '.join(COLUMNS)} FROM feature_flags "  # noqa: S608 - our own names
        f"WHERE flag = :flag {session.row_lock}",
        flag=flag.value,
    ).fetchone()
    try:
        return state_of(dict(zip(COLUMNS, row, strict=True)))
    except StorageFailed:
        return None


def _write(
    session: Session,
    flag: Flag,
    before: FlagState | None,
    after: FlagState,
    change: FlagChange,
) -> FlagEvent:
    kept = after.rolled_back
    session.execute(
        "UPDATE feature_flags SET percent = :percent, rolled_back_at = :rolled_back_at, "
        "rolled_back_by = :rolled_back_by, reason = :reason, run_id = :run_id WHERE flag = :flag",
        flag=flag.value,
        percent=after.percent,
        rolled_back_at=session.moment(kept.changed_at if kept else None),
        rolled_back_by=kept.changed_by if kept else None,
        reason=change.reason,
        run_id=change.run_id,
    )
    event = FlagEvent(
        flag=flag.value,
        changed_at=change.changed_at,
        changed_by=change.changed_by,
        state_before="?" if before is None else str(before),
        state_after=str(after),
        reason=change.reason,
        run_id=change.run_id,
    )
    values = {name: getattr(event, name) for name in _EVENT_COLUMNS}
    session.insert("flag_events", **values | {"changed_at": session.moment(event.changed_at)})
    return event


def load_flag_events(session: Session, flag: Flag | None = None) -> list[FlagEvent]:
    """Load the changes of all flags, or of one, oldest first."""
    own = "" if flag is None else "WHERE flag = :flag"
    rows = session.execute(
        f"SELECT {', '.join(_EVENT_COLUMNS)} FROM flag_events {own} ORDER BY id",  # noqa: S608
        **({} if flag is None else {"flag": flag.value}),
    )
    events = [dict(zip(_EVENT_COLUMNS, row, strict=True)) for row in rows]
    return [
        FlagEvent(**event | {"changed_at": read_moment(event["changed_at"])}) for event in events
    ]
