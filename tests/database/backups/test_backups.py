"""A backup is verified, and the newest are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from discosync.database.backups.backups import (
    KEPT,
    list_backups,
    load_backup,
    make_backup,
    restore_backup,
    verify_backup,
)
from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema
from discosync.errors import BackupFailed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(sqlite_url: str) -> Database:
    """A SQLite database with its schema; Postgres' tools are tested with the commands."""
    database = open_database(sqlite_url, read_only=False, application="tests")
    upgrade_schema(database)
    return database


def test_newest_backups_are_kept_and_one_that_is_spared(database: Database, tmp_path: Path) -> None:
    """A backup that is about to be restored does not make way for the one made before that."""
    first = make_backup(database, tmp_path / "kept", why="first", now=NOON)
    for minute in range(1, KEPT + 3):
        moment = NOON + timedelta(minutes=minute)
        make_backup(database, tmp_path / "kept", why="next", now=moment, spare=first.path)

    kept = list_backups(database, tmp_path / "kept")

    assert len(kept) == KEPT + 1
    assert kept[0].path == first.path
    assert load_backup(first.path) == first


def test_altered_backup_is_not_restored(database: Database, tmp_path: Path) -> None:
    """Its digest differs, or its rows do: the database stays as it is."""
    backup = make_backup(database, tmp_path / "kept", why="test", now=NOON)
    verify_backup(backup)
    with pytest.raises(BackupFailed, match="holds 1 rows of alembic_version, the database 2"):
        verify_backup(replace(backup, rows={**backup.rows, "alembic_version": 2}))

    with backup.path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(BackupFailed, match="SHA-256"):
        restore_backup(database, backup)


def test_backup_of_the_other_kind_of_database_is_refused(
    database: Database, tmp_path: Path
) -> None:
    """A dump of Postgres cannot go into a SQLite file."""
    backup = make_backup(database, tmp_path / "kept", why="test", now=NOON)

    with pytest.raises(BackupFailed, match="another kind of database"):
        restore_backup(database, replace(backup, path=backup.path.with_suffix(".dump")))


def test_file_without_its_description_is_no_backup(database: Database, tmp_path: Path) -> None:
    """What stands beside a backup says what it holds; without it nothing can be verified."""
    backup = make_backup(database, tmp_path / "kept", why="test", now=NOON)
    backup.path.with_name(f"{backup.path.name}.json").unlink()

    with pytest.raises(BackupFailed, match="is no backup"):
        load_backup(backup.path)
    assert list_backups(database, tmp_path / "kept") == []
