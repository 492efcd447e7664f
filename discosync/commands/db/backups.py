"""`discosync db backup`, `list` and `restore`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from discosync.commands.steps.directories import backup_dir, find_file
from discosync.database.backups.backups import (
    Backup,
    is_readable,
    list_backups,
    load_backup,
    make_backup,
    restore_backup,
    verify_backup,
)
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from discosync.errors import NotReady
from discosync.settings import (
    DatabaseSettings,
    current_environment,
    load_database_settings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The backup that was put back, and the backup of the database before that."""

    backup: Backup
    before: Path | None


def back_up(config: Path | None) -> Backup:
    """Make a backup now; runs go on meanwhile."""
    settings, database = _open(config, read_only=True)
    if not database.exists:
        raise NotReady(
            f"there is no database {database.shown}",
            hint="check DATABASE_URL; the first `discosync sync` makes one",
            code="no_database",
        )
    directory = backup_dir(settings.backup_dir, database)
    return make_backup(database, directory, why="db backup", now=datetime.now(UTC))


def list_all(config: Path | None) -> list[Backup]:
    """List the backups of the database, oldest first."""
    settings, database = _open(config, read_only=True)
    return list_backups(database, backup_dir(settings.backup_dir, database))


def restore(config: Path | None, file: Path, *, without_backup: bool) -> Restored:
    """Put a backup back, after backing up the present database; no other run may be going on.

    A database that can no longer be read is restored without such a backup.
    """
    settings, database = _open(config, read_only=False)
    directory = backup_dir(settings.backup_dir, database)
    backup = load_backup(find_file(file, directory))
    # Before anything is replaced: a damaged backup must not cost the present database.
    verify_backup(backup)
    holder = Holder(command="discosync db restore", run_id="", started_at=datetime.now(UTC))
    with hold_lock(database, MAINTENANCE_LOCK, holder):
        before = None
        if is_readable(database) and not without_backup:
            why = f"before db restore of {backup.path.name}"
            now = datetime.now(UTC)
            # A new backup deletes the oldest one: it must not delete the one to restore.
            before = make_backup(database, directory, why=why, now=now, spare=backup.path).path
        restore_backup(database, backup)
    return Restored(backup=backup, before=before)


def _open(config: Path | None, *, read_only: bool) -> tuple[DatabaseSettings, Database]:
    settings = load_database_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    return settings, open_database(address, read_only=read_only, application="discosync db")
