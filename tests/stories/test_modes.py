"""Which files others may open: none, whatever the umask, and the group some."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.program import Program
from tests.support.shop import SELLER, make_shop, with_changed, write_export

OWN = ("backups", "archives", "mirror.db.snapshots", ".cache")
"""Directories of what only the seller may see: all below them is their owner's alone."""


@contextmanager
def _umask(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def _run_every_command(program: Program, umask: int, shop: Path) -> None:
    """Run every command that makes a file, and check after each one."""
    lines = [
        ["flags", "set", "USE_CACHE", "on"],
        ["sync", "--from-file", str(shop), "--report", str(program.directory / "new" / "r.json")],
        ["sync", "--source", "export"],
        ["sync", "--source", "pages"],
        ["sync", "--dry-run", "--report", str(program.directory / "dry.json")],
        ["enrich", "--limit", "2"],
        ["compare"],
        ["stats", "--html", str(program.directory / "stats.html")],
        ["db", "backup"],
        ["purge-inactive", "--older-than", "180d", "--apply", "--max-purge", "100%"],
        ["db", "compact", "--older-than", "1s", "--apply"],
        ["db", "downgrade", "-1"],
        ["db", "upgrade"],
        ["sync", "--sandbox"],
        ["cache", "clear"],
    ]
    for line in lines:
        with _umask(umask):
            result = program(*line)
        assert result.exit_code in {0, 3}, (line, result.stderr)
        _check_modes(program.directory, umask, line)


def _check_modes(directory: Path, umask: int, line: list[str]) -> None:
    for path in directory.rglob("*"):
        is_own = any(part in OWN for part in path.relative_to(directory).parts)
        widest = 0o700 if is_own else 0o750
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & ~(widest & ~umask) == 0, (line, path, oct(mode))
        if not is_own and path.suffix in {".json", ".html", ".db"}:
            assert mode == 0o640 & ~umask, (line, path, oct(mode))


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_no_command_makes_a_file_that_others_may_open(
    sqlite_program: Program, sandbox: SandboxServer, umask: int
) -> None:
    """A web server in the group may read the database and the reports, where the umask lets it."""
    directory = sqlite_program.directory
    (directory / "inbox").mkdir(mode=0o700)
    shop = with_changed(make_shop(20), 3, status="Sold")
    path = write_export(directory / "inbox" / f"{SELLER}-inventory-20250101-1200.csv", shop)
    path.chmod(0o600)
    sandbox.state.inventory = shop
    _run_every_command(sqlite_program, umask, path)
    made = {entry.name for entry in directory.iterdir()}
    assert {"mirror.db", "reports", "backups", "archives", "new", "stats.html"} <= made
    with _umask(umask):
        sqlite_program.database_file.unlink()
        (backup,) = list((directory / "backups").glob("*.db"))[-1:]
        assert sqlite_program("db", "restore", str(backup)).exit_code == 0
    _check_modes(directory, umask, ["db", "restore"])


def test_file_that_is_there_keeps_its_mode(sqlite_program: Program) -> None:
    """Whoever opened the database or a report to somebody has chosen so."""
    report = sqlite_program.directory / "report.json"
    for path in (sqlite_program.database_file, report):
        path.touch()
        path.chmod(0o666)
    assert sqlite_program("sync", "--report", str(report)).exit_code == 0
    for path in (sqlite_program.database_file, report):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
