"""Where each flag stands."""

from collections.abc import Mapping
from typing import Any

from discosync.core.flags import Flag, FlagChange, FlagState
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_moment
from discosync.errors import StorageFailed

COLUMNS = ("flag", "percent", "rolled_back_at", "rolled_back_by", "reason", "run_id")


def load_has_flags(database: Database) -> bool:
    """Whether there is a table of flags: there is from revision 0011 on."""
    if not database.exists:
        return False
    with database.session() as session:
        return session.has_table("feature_flags")


def load_flag_states(session: Session) -> Mapping[Flag, FlagState]:
    """Load where each flag stands; one without a row was never touched.

    Raises `StorageFailed` for a row that makes no sense: guessing could switch something on.
    """
    found = session.execute(f"SELECT {', '.join(COLUMNS)} FROM feature_flags")  # noqa: S608
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    return {Flag(row["flag"]): state_of(row) for row in rows if row["flag"] in set(Flag)}


def state_of(row: Mapping[str, Any]) -> FlagState:
    """Read a row of `feature_flags`."""
    percent, since = row["percent"], read_moment(row["rolled_back_at"])
    if not isinstance(percent, int) or not 0 <= percent <= 100:
        raise StorageFailed(
            f"the table feature_flags holds {percent!r} as the percentage of {row['flag']}",
            hint=f"mend it with `discosync flags set {row['flag']} off`",
            code="bad_flag",
        )
    if since is None:
        return FlagState(percent=percent)
    return FlagState(
        percent=percent,
        rolled_back=FlagChange(
            changed_at=since,
            changed_by=str(row["rolled_back_by"] or "?"),
            reason=str(row["reason"] or "?"),
            run_id=None if row["run_id"] is None else str(row["run_id"]),
        ),
    )
