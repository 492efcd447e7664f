"""A damaged page of a SQLite file is found, and the backups from before it stay."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from discosync.database.backups.backups import KEPT
from tests.support.program import Program
from tests.support.shop import make_shop, write_export

YESTERDAY = "UPDATE sync_runs SET started_at = '2026-01-01 00:00:00.000000'"


@pytest.fixture
def mirror(sqlite_program: Program) -> Program:
    """Three hundred listings, and a backup of them."""
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(300))
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    assert sqlite_program("db", "backup").exit_code == 0
    return sqlite_program


def _backups(program: Program) -> list[str]:
    return sorted(
        path.name for path in Path(program.directory).rglob("*.db") if "Z.db" in path.name
    )


def _damage(program: Program) -> None:
    """Overwrite a page of the table `artists`, which a sync does not read."""
    with closing(sqlite3.connect(program.database_file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'artists'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with program.database_file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def _sync(program: Program) -> tuple[int, str]:
    result = program("sync", "--from-file", str(program.directory / "shop.csv"), "--json")
    return result.exit_code, result.stderr


def test_a_damaged_page_ends_the_first_sync_of_a_day(mirror: Program) -> None:
    """It says which file, what that means, and what to type; after that all is well again."""
    _damage(mirror)
    assert _sync(mirror)[0] == 0, "this day's first sync was before the damage"
    mirror.query(YESTERDAY)
    (backup,) = _backups(mirror)

    exit_code, said = _sync(mirror)

    assert exit_code == 16
    for words in (str(mirror.database_file), "the shop may see", f"discosync db restore {backup}"):
        assert words in said
    assert _sync(mirror)[0] == 16, "until somebody mends it"
    assert mirror("db", "restore", backup).exit_code == 0
    mirror.query(YESTERDAY)
    assert _sync(mirror)[0] == 0


def test_a_damaged_database_rolls_over_no_backup(mirror: Program) -> None:
    """Whatever asks for a backup ends with 16, and the good ones stay."""
    for _ in range(KEPT):
        assert mirror("db", "backup").exit_code == 0
    before = _backups(mirror)
    assert len(before) == KEPT
    _damage(mirror)
    for words in (("db", "backup"), ("purge-inactive", "--older-than", "1s", "--apply")):
        result = mirror(*words)
        assert result.exit_code == 16 if words[0] == "db" else result.exit_code in {0, 16}
        assert _backups(mirror) == before
    assert not list(Path(mirror.directory).rglob("*.part"))


def test_a_file_that_is_sound_is_checked_once_a_day(mirror: Program) -> None:
    """The report shows how long it took; the next hours do not look again."""
    mirror.query(YESTERDAY)
    path = str(mirror.directory / "shop.csv")
    shown = [mirror("sync", "--from-file", path, "--json").report["phases"] for _ in range(2)]
    assert ["check" in phases for phases in shown] == [True, False]
