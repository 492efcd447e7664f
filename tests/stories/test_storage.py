"""The database and the disk: unwritable, full, foreign, outdated, newer, changed meanwhile."""

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from discosync.database.connection.engine import open_database
from discosync.sandbox.answers import render_csv
from discosync.sandbox.server import SandboxServer
from tests.support.program import EXECUTABLE, Program
from tests.support.shop import make_shop, with_changed, write_export

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For runs whose files are cut short: half a file of bytecode would outlive the test."""


def test_unwritable_directory_is_told_before_any_request(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """A database whose directory cannot be made costs no export: exit 16 at once."""
    (tmp_path / "file").write_text("in the way")

    result = sqlite_program("sync", DATABASE_URL=f"sqlite:///{tmp_path}/file/mirror.db")

    assert result.exit_code == 16
    assert "nothing was changed" in result.stderr


def _without_override(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run without root's power to write what is read-only."""
    wrapper = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*wrapper, *EXECUTABLE, *arguments],
        env={**environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_read_only_database_is_exit_16(sqlite_program: Program, tmp_path: Path) -> None:
    """A file that this user may not write is storage to mend, and stays as it is."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    before = sqlite_program.digest()
    write_export(path, make_shop(21))
    sqlite_program.database_file.chmod(0o444)

    code, said = _without_override(["sync", "--from-file", str(path)], sqlite_program.environment)

    assert code == 16
    assert "permissions" in said
    assert sqlite_program.digest() == before


def test_full_disk_changes_nothing_and_keeps_the_inventory(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A disk that fills while writing rolls back, and costs no second export."""
    sqlite_program("sync")
    before = sqlite_program.digest()
    sandbox.state.inventory = make_shop(5000)
    limit = len(render_csv(sandbox.state.inventory)) + 100_000

    done = subprocess.run(
        [*EXECUTABLE, "sync"],
        env={**sqlite_program.environment, "PATH": os.environ["PATH"], **NO_BYTECODE},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )

    assert done.returncode == 16, done.stderr
    assert "nothing was changed" in done.stderr
    assert sqlite_program.digest() == before
    kept = done.stderr.partition("--from-file ")[2].partition("`")[0]
    assert sqlite_program("sync", "--from-file", kept, "--json").counts["added"] == 4980
    assert not Path(kept).exists()


def test_full_disk_while_fetching(sqlite_program: Program, tmp_path: Path) -> None:
    """A disk that is full before the inventory is down is exit 16 too."""
    large = write_export(tmp_path / "large.csv", make_shop(5000))

    done = subprocess.run(
        [*EXECUTABLE, "sync", "--from-file", str(large)],
        env={**sqlite_program.environment, "PATH": os.environ["PATH"], **NO_BYTECODE},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )

    assert done.returncode == 16
    assert not sqlite_program.database_file.exists()


def test_file_that_is_no_database(sqlite_program: Program) -> None:
    """A file of another kind is named, not overwritten."""
    sqlite_program.database_file.write_text("dear diary, " * 200)

    result = sqlite_program("sync")

    assert result.exit_code == 16
    assert "no SQLite database" in result.stderr
    assert sqlite_program.database_file.read_text().startswith("dear diary")


def test_unreachable_postgres_hides_the_password(sqlite_program: Program) -> None:
    """The address in an error carries no password."""
    url = "postgresql://shop:hunter2@127.0.0.1:9/shop"
    result = sqlite_program("sync", DATABASE_URL=url)

    assert result.exit_code == 16
    assert "hunter2" not in result.stderr
    assert "postgresql" in result.stderr


def test_reader_stops_no_run(sqlite_program: Program, tmp_path: Path) -> None:
    """A reader never stops a run: WAL lets both go on."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    reader = sqlite3.connect(sqlite_program.database_file)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM listings").fetchone()

    write_export(path, make_shop(21))
    result = sqlite_program("sync", "--from-file", str(path), "--json")
    reader.close()

    assert result.counts["added"] == 1


def test_outdated_schema_names_the_command(program: Program) -> None:
    """A schema that is behind is left alone until somebody upgrades it, which then works."""
    program("sync")
    program("db", "downgrade", "0009", "--allow-loss")

    behind = program("sync")
    upgraded = program("db", "upgrade", "--json")
    after = program("sync", "--json")

    assert behind.exit_code == 10
    assert "discosync db upgrade" in behind.stderr
    assert upgraded.report["state"] == "current"
    assert after.counts["unchanged"] == 20


def test_newer_schema_is_left_alone(program: Program) -> None:
    """A database of a newer discosync is not touched by this one."""
    program("sync")
    program.query("UPDATE alembic_version SET version_num = '9001'")
    before = program.query("SELECT * FROM listings ORDER BY id")

    result = program("sync")

    assert result.exit_code == 10
    assert "newer discosync" in result.stderr
    assert program("db", "upgrade").exit_code == 10
    assert program.query("SELECT * FROM listings ORDER BY id") == before


def test_old_shops_table_is_left_alone(program: Program) -> None:
    """A table of listings that discosync did not make is not taken over by a sync."""
    program.query("CREATE TABLE listings (id INTEGER PRIMARY KEY, listing_id VARCHAR(50))")
    program.query("INSERT INTO listings VALUES (1, '77')")

    result = program("sync")

    assert result.exit_code == 10
    assert "db upgrade" in result.stderr
    assert program.query("SELECT * FROM listings") == [{"id": 1, "listing_id": "77"}]


def test_db_current_shows_where_it_stands(program: Program) -> None:
    """`db current` tells state and revision, before and after the first run, and makes nothing."""
    before = program("db", "current", "--json").report
    program("db", "upgrade")
    after = program("db", "current", "--json").report

    assert (before["state"], before["revision"]) == ("empty", None)
    assert (after["state"], after["revision"]) == ("current", after["newest"])


def _alembic() -> list[str]:
    found = shutil.which("alembic", path=str(Path(EXECUTABLE[0]).parent))
    assert found, "alembic is installed with discosync"
    return [found]


def test_two_ways_to_one_file_meet_at_one_lock(tmp_path: Path) -> None:
    """A symbolic link to the database is the same database, and has the same lock."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    paths = [
        open_database(f"sqlite:///{tmp_path}/{name}/m.db", read_only=True, application="t").path
        for name in ("real", "link")
    ]
    assert paths[0] == paths[1]


def test_plain_alembic_works_from_a_checkout(program: Program) -> None:
    """`alembic upgrade head` and back at the repository's top, on the same setting."""
    top = Path(__file__).parents[2]
    environment = {**program.environment, "PATH": os.environ["PATH"]}
    for target in (["upgrade", "head"], ["downgrade", "base"], ["upgrade", "head"]):
        subprocess.run([*_alembic(), *target], cwd=top, env=environment, check=True)

    assert program("db", "current", "--json").report["state"] == "current"
    assert program("sync", "--json").counts["added"] == 20


def test_row_changed_meanwhile_is_a_conflict(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that another program changed between plan and write stops the run, unwritten."""
    from discosync.commands.steps.refusing import refuse  # noqa: PLC0415

    path = write_export(tmp_path / "shop.csv", make_shop(20))
    program("sync", "--from-file", str(path))
    write_export(path, with_changed(make_shop(20), 3, comments="ours"))
    check: Callable[..., object] = refuse

    def interfere(*arguments: object) -> object:
        program.query("UPDATE listings SET content_hash = 'theirs' WHERE listing_id = '4400000004'")
        return check(*arguments)

    monkeypatch.setattr("discosync.commands.syncing.judging.refuse", interfere)
    result = program("sync", "--from-file", str(path))

    assert result.exit_code == 16
    assert "another program changed 1 listings" in result.stderr
    assert len(program.query("SELECT * FROM sync_runs")) == 1


def test_report_that_cannot_be_written_is_a_warning(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """The data is committed and the report is lost: that is 3, not 0, and not a failure."""
    (tmp_path / "file").write_text("in the way")

    result = sqlite_program("sync", "--report", str(tmp_path / "file" / "report.json"))

    assert result.exit_code == 3
    assert "report could not be written" in result.stderr
    assert len(sqlite_program.query("SELECT * FROM listings")) == 20


def test_nothing_in_the_sync_path_deletes(sqlite_program: Program, tmp_path: Path) -> None:
    """A trigger that forbids deleting, and rewriting history, is never met."""
    sqlite_program.environment["DISCOGS_TOKEN"] = ""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    for event in ("DELETE ON listings", "DELETE ON listing_changes", "UPDATE ON listing_changes"):
        name = event.replace(" ", "_")
        sqlite_program.query(
            f"CREATE TRIGGER no_{name} BEFORE {event} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    write_export(path, with_changed(make_shop(21), 3, status="Sold")[2:])

    result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert result.counts == {
        "seen": 19, "added": 1, "unchanged": 17, "removed": 3, "active": 18
    }  # fmt: skip
