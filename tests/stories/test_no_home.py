"""A user without a home, as containers have: what needs one says so, and the rest goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.shop import make_shop, write_export


@pytest.fixture
def homeless(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program, run by a user id of which the system knows no name and no home."""

    def refuse(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr("pwd.getpwuid", refuse)
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    without = {name: value for name, value in program.environment.items() if name != "HOME"}
    return replace(program, environment=without)


def test_sync_goes_on_without_a_cache(
    homeless: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot lies beside the database or in TMPDIR; one warning says what is missing."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    for source in ("export", "pages"):
        result = homeless("sync", "--source", source)
        assert result.exit_code == 3
        assert result.stderr.count("no home directory") == 1
        assert "set HOME" in result.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_needs_no_cache_needs_no_home(homeless: Program, tmp_path: Path) -> None:
    """A file is mirrored, and a flag is switched, without a warning."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    assert homeless("sync", "--from-file", str(path)).exit_code == 0
    assert homeless("flags", "set", "USE_CACHE", "off").exit_code == 0
    assert homeless("status").exit_code == 0
    assert "uid " in homeless("flags", "history").stdout


def test_cache_commands_say_that_there_is_no_place_for_one(homeless: Program) -> None:
    """Nothing is there to show or to delete."""
    assert "no home directory" in homeless("cache", "info").stdout
    assert homeless("cache", "clear").exit_code == 0


@pytest.mark.parametrize("words", [["sync"], ["sync", "--sandbox"], ["status"], ["db", "current"]])
def test_without_an_address_of_the_database_it_is_not_ready(
    homeless: Program, words: list[str]
) -> None:
    """Only the user can say where the database goes."""
    result = homeless(*words, DATABASE_URL="")
    assert result.exit_code == 10
    assert "set HOME" in result.stderr
    assert "DATABASE_URL" in result.stderr


def test_backup_of_postgres_names_the_variable_of_its_place(
    homeless: Program, tmp_path: Path
) -> None:
    """A server has no directory of ours, and without a home nobody has."""
    homeless("sync", "--source", "pages")
    result = homeless("db", "backup")
    if homeless.database_url.startswith("sqlite"):
        assert result.exit_code == 0
        return
    assert result.exit_code == 10
    assert "BACKUP_DIR" in result.stderr
    assert homeless("db", "backup", BACKUP_DIR=str(tmp_path / "kept")).exit_code == 0
