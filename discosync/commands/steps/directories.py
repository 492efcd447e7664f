"""The directories of a database's reports, backups and archives: by a setting, or beside it."""

from pathlib import Path

from discosync.database.connection.engine import Database
from discosync.database.connection.lock import slug_of
from discosync.settings import data_dir


def report_dir(setting: Path | None, database: Database) -> Path | None:
    """Return the directory of the runs' reports: REPORT_DIR, or one beside a SQLite file.

    None for Postgres without a setting: no directory is beside it, and it has a table of runs.
    """
    if setting is not None:
        return setting
    return database.path.parent / "reports" if database.path else None


def backup_dir(setting: Path | None, database: Database) -> Path:
    """Return the directory of this database's backups: BACKUP_DIR, or one beside the database."""
    return setting or _own_dir(database, "backups")


def archive_dir(setting: Path | None, database: Database) -> Path:
    """Return the directory of purged listings: ARCHIVE_DIR, or one beside the database."""
    return setting or _own_dir(database, "archives")


def find_file(path: Path, directory: Path) -> Path:
    """Look for a bare name in the working directory, then in `directory`."""
    return path if len(path.parts) > 1 or is_there(path) else directory / path


def is_there(path: Path) -> bool:
    """Whether there is a file; one without permission counts, so that reading it says why not."""
    try:
        return path.exists()
    except OSError:
        return True


def _own_dir(database: Database, name: str) -> Path:
    if database.path is not None:
        return database.path.parent / name
    # A server has no directory of ours. By database, because their files must not mix.
    return data_dir() / name / slug_of(database.shown)
