"""Look once a day whether the database's file is damaged, while there are backups from before."""

from datetime import datetime

from discosync.commands.steps.directories import backup_dir
from discosync.commands.steps.opening import Target
from discosync.core.moments import is_another_day
from discosync.database.connection.soundness import find_damage
from discosync.runner import Run


def check_file(run: Run, target: Target, *, last_sync_at: datetime | None) -> None:
    """Check a SQLite file at the first sync of a day; raise `StorageFailed` if it is damaged."""
    path = target.database.path
    if path is None or last_sync_at is None or not is_another_day(last_sync_at, run.started_at):
        return
    with run.phase("check"), target.database.errors():
        damage = find_damage(path)
    if damage is not None:
        from discosync.database.backups.backups import damaged  # noqa: PLC0415 - heavy

        directory = backup_dir(target.settings.backup_dir, target.database)
        raise damaged(target.database, directory, damage)
