"""`discosync runs`: what it lists, counts and shows."""

import os
import pty
import subprocess

from discosync.core.inventory.listing import Listing
from tests.support.program import Program, Result
from tests.support.shop import SELLER, make_shop, write_export


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_what_a_refused_run_would_have_changed_is_no_change(sqlite_program: Program) -> None:
    """`runs` and `status` count what was done, and say of a refusal why."""
    program = sqlite_program
    assert _sync(program, make_shop(60)).exit_code == 0
    assert _sync(program, make_shop(20)).exit_code == 13
    refused, done = program("runs", "--json").report["runs"]
    assert sum(refused["changes"].values()) == 0
    assert done["changes"]["added"] == 60
    assert "would remove 40 of 60" in program("runs").stdout
    changes = next(x for x in program("status").stdout.splitlines() if "changes" in x)
    assert changes.split()[-4:] == ["0", "(last", "2", "syncs)"]


def test_a_run_must_be_named(program: Program) -> None:
    """An empty name begins every run's, and means none, where there is but one, too."""
    assert _sync(program, make_shop(3)).exit_code == 0
    for command in (("runs", ""), ("restore", "--run", "")):
        nameless = program(*command)
        assert (nameless.exit_code, "no run is named" in nameless.stderr) == (2, True)


def test_what_the_history_does_not_show_is_counted(program: Program) -> None:
    """A run's changes are cut at two hundred, and what is gone from the history is no secret."""
    assert _sync(program, make_shop(210)).exit_code == 0
    run_id = program("runs", "--json").report["runs"][0]["run_id"]
    assert "… and 10 more; --json shows all" in program("runs", run_id).stderr
    program.query("DELETE FROM listing_changes WHERE listing_id LIKE '%5'")
    assert "21 of its changes are no longer in the history" in program("runs", run_id).stderr


def test_files_that_only_look_like_reports_are_passed_over(sqlite_program: Program) -> None:
    """Neither a pipe, nor nested brackets, nor a directory keeps `runs` from its list."""
    assert _sync(sqlite_program, make_shop(3)).exit_code == 0
    reports = sqlite_program.directory / "reports"
    os.mkfifo(reports / "sync-20990101T000000Z-aaaaaaaa.json")
    (reports / "sync-20990101T000000Z-bbbbbbbb.json").write_text("[" * 100_000)
    (reports / "sync-20990101T000000Z-cccccccc.json").mkdir()
    listed = sqlite_program.run("runs", "--json")
    assert listed.exit_code == 0
    assert len(listed.report["runs"]) == 1


def test_a_narrow_terminal_breaks_no_id(sqlite_program: Program) -> None:
    """What has to be copied stands in one piece, however little room there is."""
    assert _sync(sqlite_program, make_shop(60)).exit_code == 0
    assert _sync(sqlite_program, make_shop(20)).exit_code == 13
    run_ids = [run["run_id"] for run in sqlite_program("runs", "--json").report["runs"]]
    ours, theirs = pty.openpty()
    environment = {**sqlite_program.environment, "PATH": os.environ["PATH"], "COLUMNS": "60"}
    environment |= {"TERM": "xterm", "NO_COLOR": ""}
    subprocess.run(
        sqlite_program.command("runs"),
        env=environment,
        cwd=sqlite_program.directory,
        stdout=theirs,
        check=True,
    )
    shown = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)
    assert "\x1b[" in shown  # as a terminal gets it
    assert all(run_id in shown for run_id in run_ids)
