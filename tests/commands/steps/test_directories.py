"""Where reports, backups and archives are kept."""

from pathlib import Path

import pytest

from discosync.commands.steps.directories import archive_dir, backup_dir, find_file, report_dir
from discosync.database.connection.engine import Database, open_database


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """Give a database that would be a file."""
    return open_database(f"sqlite:///{tmp_path / 'shop.db'}", read_only=True, application="test")


@pytest.fixture
def postgres() -> Database:
    """Give a database on a server that is never asked anything."""
    address = "postgresql://user:secret@localhost/shop"
    return open_database(address, read_only=True, application="test")


def test_setting_goes_before_the_place_beside_the_database(sqlite: Database) -> None:
    """REPORT_DIR, BACKUP_DIR and ARCHIVE_DIR name the directory, whatever the database."""
    setting = Path("/srv/kept")

    assert {find(setting, sqlite) for find in (report_dir, backup_dir, archive_dir)} == {setting}


def test_files_of_a_sqlite_database_stand_beside_it(sqlite: Database, tmp_path: Path) -> None:
    """Without a setting, each kind has a directory beside the database's file."""
    assert report_dir(None, sqlite) == tmp_path / "reports"
    assert backup_dir(None, sqlite) == tmp_path / "backups"
    assert archive_dir(None, sqlite) == tmp_path / "archives"


def test_postgres_keeps_no_reports_without_a_setting(postgres: Database) -> None:
    """A database on a server has no directory beside it; its reports are in its own table."""
    assert report_dir(None, postgres) is None


def test_each_postgres_database_has_backups_and_archives_of_its_own(postgres: Database) -> None:
    """The directory in the user's data names the database, and not its password."""
    backups, archives = backup_dir(None, postgres), archive_dir(None, postgres)

    assert backups.parts[-2] == "backups"
    assert archives.parts[-2] == "archives"
    assert backups.name == archives.name
    assert "secret" not in backups.name


def test_bare_name_is_looked_for_here_and_then_among_the_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name without a directory means the file here if there is one, else the kept one."""
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "backups"

    assert find_file(Path("a.db"), kept) == kept / "a.db"
    (tmp_path / "a.db").touch()
    assert find_file(Path("a.db"), kept) == Path("a.db")


def test_path_with_a_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    """A path is not looked for elsewhere, even if nothing is there."""
    assert find_file(Path("other/a.db"), tmp_path) == Path("other/a.db")
