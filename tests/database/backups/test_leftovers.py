"""What a killed backup left is removed by the next one, unless another one is being made."""

from datetime import UTC, datetime
from pathlib import Path

from discosync.database.backups.backups import list_backups, make_backup
from discosync.database.backups.leftovers import making_backup
from discosync.database.connection.engine import open_database
from discosync.database.schema.migrating import upgrade_schema

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_drafts_go_when_nobody_makes_a_backup(tmp_path: Path) -> None:
    """Drafts, SQLite's files beside them, and descriptions without their backup."""
    left = (".shop-1-x.db.part", ".shop-1-x.db.part-journal", "shop-1-x.db.json")
    others = (".mine-1-x.db.part", "shop-1-y.db", "shop-1-y.db.json", "notes.json")
    for name in (*left, *others):
        (tmp_path / name).touch()
    with making_backup(tmp_path, "other"), making_backup(tmp_path, "shop-1"):
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {*others, ".shop-1.lock", ".other.lock"}


def test_drafts_stay_while_another_backup_is_being_made(tmp_path: Path) -> None:
    """One of them is that one's; two may be made at once."""
    with making_backup(tmp_path, "shop-1"):
        (tmp_path / ".shop-1-x.db.part").touch()
        with making_backup(tmp_path, "shop-1"):
            assert (tmp_path / ".shop-1-x.db.part").exists()
        with making_backup(tmp_path, "shop-1"):
            assert (tmp_path / ".shop-1-x.db.part").exists()


def test_backup_removes_what_was_left_of_an_earlier_one(sqlite_url: str, tmp_path: Path) -> None:
    """The names of drafts are those that backups have."""
    database = open_database(sqlite_url, read_only=False, application="tests")
    upgrade_schema(database)
    directory = tmp_path / "kept"
    made = make_backup(database, directory, why="test", now=NOON)
    left = [
        directory / name
        for name in (f".{made.path.name}.part", made.path.name.replace("T12", "T11") + ".json")
    ]
    for path in left:
        path.touch()
    later = make_backup(database, directory, why="test", now=NOON.replace(hour=13))
    assert not any(path.exists() for path in left)
    assert list_backups(database, directory) == [made, later]
