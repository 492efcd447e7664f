"""Backups: whole, verified, private, few, and able to bring a database back."""

import os
import resource
import sqlite3
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from discosync.database.backups.backups import KEPT
from discosync.database.schema.state import known_revisions
from discosync.sandbox.server import SandboxServer
from tests.support.program import Program
from tests.support.shop import make_shop, with_changed

STATE = (
    "SELECT * FROM listings ORDER BY id",
    "SELECT * FROM listing_changes ORDER BY id",
    "SELECT run_id FROM sync_runs ORDER BY id",
)


def _state(program: Program) -> list[list[dict[str, Any]]]:
    return [program.query(statement) for statement in STATE]


def _back_up(program: Program) -> Path:
    return Path(program("db", "backup", "--json").report["file"])


def test_backup_is_restored_exactly(program: Program, sandbox: SandboxServer) -> None:
    """What was there comes back, and what was there before that is in a backup of its own."""
    program("sync")
    first, backup = _state(program), _back_up(program)
    sandbox.state.inventory = with_changed(make_shop(21), 3, comments="newer")
    program("sync")
    second = _state(program)

    restored = program("db", "restore", str(backup), "--json")

    assert restored.exit_code == 0
    assert _state(program) == first
    assert program("db", "restore", restored.report["before"]).exit_code == 0
    assert _state(program) == second
    assert program("sync", "--json").counts["unchanged"] == 21


def test_restore_over_another_schema(program: Program) -> None:
    """A backup of the newest schema brings an older one back up, tables and all."""
    program("sync")
    state, backup = _state(program), _back_up(program)
    program("db", "downgrade", "0008", "--allow-loss")
    assert program("db", "restore", str(backup)).exit_code == 0
    assert program("db", "current", "--json").report["state"] == "current"
    assert _state(program) == state
    old = [b for b in program("db", "list", "--json").report["backups"] if b["revision"] == "0008"]
    assert program("db", "restore", old[0]["file"]).exit_code == 0
    assert program("db", "current", "--json").report["revision"] == "0008"
    assert program("db", "upgrade").exit_code == 0


def test_backup_is_private_and_listed(program: Program) -> None:
    """Mode 0600 in a directory of 0700, and `db list` says what it holds."""
    program("sync")
    backup = _back_up(program)
    (listed,) = program("db", "list", "--json").report["backups"]

    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    assert listed["rows"]["listings"] == 20
    assert (listed["why"], listed["file"]) == ("db backup", str(backup))
    assert "hunter2" not in "".join(p.read_text() for p in backup.parent.glob("*.json"))


def test_newest_backups_are_kept(sqlite_program: Program) -> None:
    """Only so many stay; files of others in the directory are left alone."""
    sqlite_program("sync")
    first = _back_up(sqlite_program)
    foreign = first.with_name("mirror-notes.db")
    foreign.write_text("not ours")
    newest = [_back_up(sqlite_program) for _ in range(KEPT)]

    kept = [Path(b["file"]) for b in sqlite_program("db", "list", "--json").report["backups"]]

    assert kept == newest
    assert not first.exists()
    assert foreign.exists()


def test_backup_that_is_restored_is_not_pruned_meanwhile(sqlite_program: Program) -> None:
    """The backup before a restore may not push out the one that is restored."""
    sqlite_program("sync")
    oldest, *_ = [_back_up(sqlite_program) for _ in range(KEPT)]
    assert sqlite_program("db", "restore", str(oldest)).exit_code == 0


def _flip_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [_flip_byte, _cut, Path.unlink])
def test_damaged_backup_is_not_restored(program: Program, damage: Any) -> None:
    """A backup that is not what was verified stays where it is: 17, and nothing changed."""
    program("sync")
    before, backup = _state(program), _back_up(program)
    damage(backup)
    result = program("db", "restore", str(backup))
    assert result.exit_code == 17
    assert _state(program) == before


def test_damaged_database_is_put_aside_and_replaced(sqlite_program: Program) -> None:
    """At two in the morning: the file is broken, the backup is not."""
    sqlite_program("sync")
    before, backup = _state(sqlite_program), _back_up(sqlite_program)
    file = sqlite_program.database_file
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.write_bytes(b"garbage" * 1000)

    assert sqlite_program("sync").exit_code == 16
    assert sqlite_program("db", "restore", str(backup)).exit_code == 0

    assert _state(sqlite_program) == before
    assert file.with_name(f"{file.name}.damaged").exists()


def test_second_damaged_database_does_not_take_the_firsts_place(sqlite_program: Program) -> None:
    """Each is kept under a name of its own, with what belongs to it."""
    sqlite_program("sync")
    backup, file = _back_up(sqlite_program), sqlite_program.database_file
    for garbage in (b"first", b"second", b"third"):
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(garbage * 1000)
        file.with_name(f"{file.name}-journal").write_bytes(garbage)
        assert sqlite_program("db", "restore", str(backup)).exit_code == 0

    for suffix, garbage in (("", b"first"), (".2", b"second"), (".3", b"third")):
        aside = file.with_name(f"{file.name}.damaged{suffix}")
        assert aside.read_bytes() == garbage * 1000
        assert aside.with_name(f"{aside.name}-journal").read_bytes() == garbage


def test_missing_database_is_restored(sqlite_program: Program) -> None:
    """A database that is gone comes back from its backup."""
    sqlite_program("sync")
    before, backup = _state(sqlite_program), _back_up(sqlite_program)
    sqlite_program.database_file.unlink()
    assert sqlite_program("db", "restore", str(backup)).exit_code == 0
    assert _state(sqlite_program) == before


def test_backup_while_others_write(sqlite_program: Program) -> None:
    """A backup is of one moment, and counts what was there at that moment."""
    sqlite_program("sync")
    other = sqlite3.connect(sqlite_program.database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM listing_changes")
    backup = _back_up(sqlite_program)
    other.execute("ROLLBACK")
    other.close()
    with sqlite3.connect(f"file:{backup}?mode=ro", uri=True) as copy:
        assert copy.execute("SELECT count(*) FROM listing_changes").fetchone() == (20,)
    copy.close()


def test_backup_directory_that_cannot_be_made_stops_the_migration(program: Program) -> None:
    """No place for the backup: 17, and the schema stays."""
    program("sync")
    program("db", "downgrade", "-1")
    (program.directory / "file").write_text("in the way")

    result = program("db", "upgrade", BACKUP_DIR=str(program.directory / "file" / "backups"))

    assert result.exit_code == 17
    assert "BACKUP_DIR" in result.stderr
    assert program("db", "current", "--json").report["revision"] == known_revisions()[-2]
    assert program("db", "upgrade", "--no-backup").exit_code == 0


def test_full_disk_stops_the_migration(program: Program) -> None:
    """A backup that does not fit: 17, the schema stays, and no half backup lies about."""
    program("sync")
    program("db", "downgrade", "-1")
    known = program("db", "list", "--json").report["backups"]
    limit = 60_000 if program.database_url.startswith("sqlite") else 4_096
    done = subprocess.run(
        program.command("db", "upgrade"),
        # Half a file of bytecode would outlive the test.
        env={**program.environment, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=program.directory,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 17, done.stderr
    assert program("db", "current", "--json").report["revision"] == known_revisions()[-2]
    assert program("db", "list", "--json").report["backups"] == known
    assert list(Path(known[0]["file"]).parent.glob(".*.part")) == []


def test_postgres_without_its_tools_says_what_to_install(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `pg_dump` there is no backup, so no migration: 17, and both ways out are named."""
    if program.database_url.startswith("sqlite"):
        return
    program("sync")
    program("db", "downgrade", "-1")
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("pathlib.Path.glob", lambda _path, _pattern: iter(()))
    result = program("db", "backup")
    assert result.exit_code == 17
    assert "postgresql-client" in result.stderr
    assert "--no-backup" in result.stderr


def test_restore_waits_for_nobody(program: Program) -> None:
    """While a run is at work nothing is restored: 11, and the run is named."""
    from discosync.database.connection.engine import open_database  # noqa: PLC0415
    from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock  # noqa: PLC0415
    from tests.support.shop import NOON  # noqa: PLC0415

    program("sync")
    backup = _back_up(program)
    database = open_database(program.database_url, read_only=True, application="discosync sync")
    holder = Holder(command="discosync sync", run_id="x", started_at=NOON)
    with hold_lock(database, MAINTENANCE_LOCK, holder, is_shared=True):
        result = program("db", "restore", str(backup))
        also_shared = program("sync")
    assert result.exit_code == 11
    assert f"process {os.getpid()}" in result.stderr
    assert also_shared.exit_code == 0


def test_password_is_in_no_backup_and_no_process_list(program: Program) -> None:
    """A password in DATABASE_URL reaches Postgres' tools by their environment alone."""
    if program.database_url.startswith("sqlite"):
        return
    address = program.database_url.replace("discosync@", "discosync:hunter2@")
    program("sync")
    result = program("db", "backup", "--json", DATABASE_URL=address)
    assert result.exit_code == 0
    backup = Path(result.report["file"])
    assert b"hunter2" not in backup.read_bytes()
    assert "hunter2" not in result.stdout + backup.with_name(f"{backup.name}.json").read_text()


def test_backup_that_does_not_verify_stops_the_migration(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps half of what is written: 17, the schema stays, no backup is claimed."""
    program("sync")
    program("db", "downgrade", "-1")
    known = program("db", "list", "--json").report["backups"]
    chmod = Path.chmod

    def keep_half(path: Path, mode: int) -> None:
        if path.suffix == ".part":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        chmod(path, mode)

    monkeypatch.setattr("pathlib.Path.chmod", keep_half)
    result = program("db", "upgrade")

    assert result.exit_code == 17
    assert program("db", "current", "--json").report["revision"] == known_revisions()[-2]
    assert program("db", "list", "--json").report["backups"] == known
