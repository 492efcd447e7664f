"""`discosync rollback-flag`: switch a flag off at once."""

from pathlib import Path

from discosync.commands.steps.flag_store import open_flags_to_write
from discosync.commands.steps.run_flags import change_now
from discosync.core.flags import (
    Flag,
    FlagEvent,
)
from discosync.database.flags.changes import (
    roll_back_flag,
)


def roll_back(config: Path | None, flag: Flag, reason: str) -> FlagEvent:
    """Switch a flag off at once, for every later run; needs the database and nothing else."""
    database = open_flags_to_write(config)
    with database.session(writes=True) as session:
        return roll_back_flag(session, flag, change_now(reason))
