"""A damaged SQLite file is told from a sound one, and from one that cannot be looked at."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from discosync.database.connection.soundness import find_damage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a table of many pages, and an index."""
    path = tmp_path / "mirror.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, words TEXT)")
        connection.execute("CREATE INDEX by_words ON rows (words)")
        connection.executemany(
            "INSERT INTO rows (words) VALUES (?)", [(f"{number:>300}",) for number in range(200)]
        )
        connection.commit()
    return path


def test_a_sound_file_has_no_damage(path: Path) -> None:
    """Looked at quickly or thoroughly; and looking leaves it as it is."""
    before = path.read_bytes()
    assert find_damage(path) is find_damage(path, thoroughly=True) is None
    assert path.read_bytes() == before


def test_any_page_that_is_overwritten_is_found(path: Path) -> None:
    """The header, pages of the table, and pages of the index."""
    whole = path.read_bytes()
    size = 4096
    for start in range(0, len(whole), size):
        path.write_bytes(whole[:start] + b"\xa5" * size + whole[start + size :])
        assert find_damage(path), f"page {start // size + 1}"


def test_an_index_that_lacks_a_row_is_found_thoroughly(path: Path) -> None:
    """The quick look compares no index with its table; a backup's check does."""
    own = "FROM sqlite_master WHERE name = 'by_words'"
    with closing(sqlite3.connect(path)) as connection:
        (index,) = connection.execute(
            f"SELECT type, name, tbl_name, rootpage, sql {own}"
        ).fetchall()
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(f"DELETE {own}")
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:  # it does not know the index
        connection.execute("DELETE FROM rows WHERE id = 7")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)
        connection.commit()
    assert find_damage(path) is None
    assert find_damage(path, thoroughly=True)


def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path: Path) -> None:
    """It is for whoever asks to say so."""
    with pytest.raises(sqlite3.OperationalError):
        find_damage(tmp_path / "missing.db")
