"""Where a database's reports, backups and archives are: where a setting says, or beside it."""

from pathlib import Path

from discosync.database.connection.engine import Database
from discosync.database.connection.lock import slug_of
from discosync.settings import data_dir


def report_dir(setting: Path | None, database: Database) -> Path | None:
    """Keep every run's report beside a SQLite file, or where REPORT_DIR says."""
    if setting is not None:
        return setting
    return database.path.parent / "reports" if database.path else None


def backup_dir(setting: Path | None, database: Database) -> Path:
    """Where this database's backups are: BACKUP_DIR, or beside the database."""
    return setting or _own_dir(database, "backups")


def archive_dir(setting: Path | None, database: Database) -> Path:
    """Where what was purged is: ARCHIVE_DIR, or beside the database."""
    return setting or _own_dir(database, "archives")


def find_file(path: Path, directory: Path) -> Path:
    """Look for a bare name in the working directory, then in `directory`."""
    return path if len(path.parts) > 1 or is_there(path) else directory / path


def is_there(path: Path) -> bool:
    """Whether there is a file; one that may not be looked at is for its reader to complain of."""
    try:
        return path.exists()
    except OSError:
        return True


def _own_dir(database: Database, name: str) -> Path:
    if database.path is not None:
        return database.path.parent / name
    return data_dir() / name / slug_of(database.shown)
