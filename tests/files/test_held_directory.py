"""A directory that a living process holds stays; one left behind goes."""

import os
from pathlib import Path

import pytest

from discosync.files import held_directory
from discosync.files.held_directory import hold_directory, remove_abandoned_directories


def test_held_directory_stays_and_the_others_with_such_names_go(tmp_path: Path) -> None:
    """A name of another form is somebody else's."""
    held = hold_directory(tmp_path / "a" / "one-1")
    for name in ("two-2", "two-2.kept", "notes"):
        (tmp_path / "a" / name).mkdir()
        (tmp_path / "a" / name / "file").touch()
    (tmp_path / "a" / "three-3").touch()
    remove_abandoned_directories(tmp_path / "a", r"[a-z]+-\d")
    names = {path.name for path in (tmp_path / "a").iterdir()}
    os.close(held)
    assert names == {"one-1", "two-2.kept", "notes", "three-3"}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_directory_removed_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making and holding it, it looks like one that was left behind."""
    swept: list[int] = []

    def hold_after_a_sweep(_descriptor: int) -> bool:
        if not swept:
            swept.append(1)
            (tmp_path / "one").rmdir()
        return True

    monkeypatch.setattr(held_directory, "hold", hold_after_a_sweep)
    os.close(hold_directory(tmp_path / "one"))
    assert (tmp_path / "one").is_dir()
