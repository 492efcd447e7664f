"""Flags as the database keeps them: where each stands, and every change of it."""

from sqlalchemy import Connection, insert, select, update

from discosync.core.flags import Flag, FlagChange, FlagEvent, FlagState
from discosync.database.flags.states import state_of
from discosync.database.schema.tables import feature_flags, flag_events
from discosync.errors import StorageFailed


def roll_back_flag(connection: Connection, flag: Flag, change: FlagChange) -> FlagEvent:
    """Switch a flag off; the share that was rolled out is remembered.

    Rolling back twice leaves another event, and the newer reason.
    """
    before = _lock_state(connection, flag)
    percent = before.percent if before is not None else 0
    after = FlagState(percent=percent, rolled_back=change)
    return _write(connection, flag, before, after, change)


def set_flag(connection: Connection, flag: Flag, percent: int, change: FlagChange) -> FlagEvent:
    """Roll a flag out to a share, and lift a rollback; `change` says who, when and why."""
    before = _lock_state(connection, flag)
    return _write(connection, flag, before, FlagState(percent=percent), change)


def _lock_state(connection: Connection, flag: Flag) -> FlagState | None:
    """Load a flag's state and keep it until the commit; None when the row makes no sense."""
    own = feature_flags.c.flag == flag.value
    if connection.execute(select(feature_flags.c.flag).where(own)).first() is None:
        _insert_once(connection, flag)
    row = connection.execute(select(feature_flags).where(own).with_for_update()).mappings().one()
    try:
        return state_of(dict(row))
    except StorageFailed:
        return None


def _insert_once(connection: Connection, flag: Flag) -> None:
    """Make the row; somebody else may be doing so at the same moment."""
    # One statement for both databases: SQLAlchemy has one of its own for each.
    connection.exec_driver_sql(
        f"INSERT INTO feature_flags (flag, percent) VALUES ('{flag.value}', 100) "  # noqa: S608 - a flag's own name
        "ON CONFLICT (flag) DO NOTHING"
    )


def _write(
    connection: Connection,
    flag: Flag,
    before: FlagState | None,
    after: FlagState,
    change: FlagChange,
) -> FlagEvent:
    kept = after.rolled_back
    connection.execute(
        update(feature_flags)
        .where(feature_flags.c.flag == flag.value)
        .values(
            percent=after.percent,
            rolled_back_at=kept.changed_at if kept else None,
            rolled_back_by=kept.changed_by if kept else None,
            reason=change.reason,
            run_id=change.run_id,
        )
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
    values = {name: getattr(event, name) for name in FlagEvent.__slots__}
    connection.execute(insert(flag_events).values(values))
    return event


def load_flag_events(connection: Connection, flag: Flag | None = None) -> list[FlagEvent]:
    """Load the changes of all flags, or of one, oldest first."""
    statement = select(*(flag_events.c[name] for name in FlagEvent.__slots__))
    if flag is not None:
        statement = statement.where(flag_events.c.flag == flag.value)
    rows = connection.execute(statement.order_by(flag_events.c.id)).mappings()
    return [FlagEvent(**row) for row in rows]
