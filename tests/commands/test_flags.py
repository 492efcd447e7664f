"""Flags as an operator meets them: rolled out, rolled back, and rolled back by themselves."""

import subprocess
from collections.abc import Callable

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.shop import make_shop, with_changed
from tests.support.waiting import HUNG_AFTER_SECONDS

ROLL_BACK = ("rollback-flag", "use-csv-export", "--reason", "export is stuck")


@pytest.fixture
def shop(program: Program, sandbox: SandboxServer) -> Program:
    """A mirrored shop that is large enough for the export."""
    sandbox.state.inventory = make_shop(310)
    assert program("sync", "--json").report["source"] == "export"
    return program


def _flag(program: Program) -> dict[str, object]:
    listed = program("flags", "list", "--json").report["flags"]
    return next(dict(flag) for flag in listed if flag["flag"] == "USE_CSV_EXPORT")


def test_rollback_holds_against_the_environment_until_it_is_lifted(shop: Program) -> None:
    """What the crontab exports does not switch a rolled back flag on again; `flags set` does."""
    assert shop(*ROLL_BACK).exit_code == 0
    rolled_back = shop("sync", "--json", USE_CSV_EXPORT="true").report
    assert shop("flags", "set", "USE_CSV_EXPORT", "on").exit_code == 0
    lifted = shop("sync", "--json").report

    assert rolled_back["source"] == "pages"
    assert rolled_back["flags"]["USE_CSV_EXPORT"]["value"] is False
    assert "export is stuck" in rolled_back["flags"]["USE_CSV_EXPORT"]["why"]
    assert lifted["source"] == "export"
    stored = shop.query("SELECT report FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["report"]
    assert "USE_CSV_EXPORT" in str(stored)


def test_option_beats_a_rollback_for_one_run(shop: Program) -> None:
    """`--source export` takes the export although its flag is rolled back, and says why."""
    shop(*ROLL_BACK)
    report = shop("sync", "--json", "--source", "export").report
    assert report["source"] == "export"
    assert report["flags"]["USE_CSV_EXPORT"] == {"value": True, "why": "--source export"}
    assert shop("sync", "--json").report["source"] == "pages"


def test_every_flag_is_reported(shop: Program) -> None:
    """The report says for each of the four flags its value and why."""
    flags = shop("sync", "--json", USE_CACHE="off").report["flags"]
    assert flags["USE_CACHE"] == {"value": False, "why": "environment"}
    assert set(flags) == {
        "USE_CSV_EXPORT", "USE_CONTENT_HASH", "USE_CACHE", "ENABLE_ARTIST_ENRICHMENT"
    }  # fmt: skip


def test_history_says_who_when_from_to_and_why(shop: Program) -> None:
    """Every change leaves an event, the second rollback too."""
    shop(*ROLL_BACK)
    shop(*ROLL_BACK)
    shop("flags", "set", "use-csv-export", "25%", "--reason", "try again")
    shop("flags", "set", "use-cache", "off")

    events = shop("flags", "history", "use-csv-export", "--json").report["events"]

    assert [(e["from"], e["to"], e["reason"]) for e in events] == [
        ("on", "rolled back", "export is stuck"),
        ("rolled back", "rolled back", "export is stuck"),
        ("rolled back", "25%", "try again"),
    ]
    assert all(e["who"] and e["when"].endswith("Z") and e["run"] is None for e in events)
    assert len(shop("flags", "history", "--json").report["events"]) == 4


def test_rollout_by_percentage_says_which_bucket(shop: Program) -> None:
    """At 0% no run is on the new path, at a share the report names bucket and hour."""
    shop("flags", "set", "USE_CSV_EXPORT", "0%")
    assert shop("sync", "--json").report["source"] == "pages"
    shop("flags", "set", "USE_CSV_EXPORT", "50%")
    report = shop("sync", "--json").report
    assert "rolled out to 50%, bucket " in report["flags"]["USE_CSV_EXPORT"]["why"]
    assert (report["source"] == "export") is report["flags"]["USE_CSV_EXPORT"]["value"]


def test_rollback_needs_the_database_and_nothing_else(shop: Program) -> None:
    """No token, no seller, a broken setting and a Discogs that is down do not stand in its way."""
    result = shop(
        *ROLL_BACK,
        DISCOGS_TOKEN="",
        DISCOGS_USERNAME="",
        DISCOGS_API_URL="https://127.0.0.1:9",
        DISCOGS_CURRENCY="nonsense",
    )
    assert result.exit_code == 0
    assert _flag(shop)["state"] == "rolled back"


def test_rollback_before_the_first_sync(program: Program) -> None:
    """An empty database gets its schema, so that the first sync already takes the pages."""
    assert program(*ROLL_BACK).exit_code == 0
    assert _flag(program)["state"] == "rolled back"


def test_rollback_works_while_the_schema_is_behind(shop: Program) -> None:
    """After an update, before `db upgrade`, a flag can be rolled back all the same."""
    shop("db", "downgrade", "-1")
    assert shop(*ROLL_BACK).exit_code == 0
    shop("db", "downgrade", "0010", "--allow-loss")
    result = shop(*ROLL_BACK)
    assert result.exit_code == 10
    assert "db upgrade" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rollback-flag", "use-magic", "--reason", "x"), "USE_CONTENT_HASH"),
        (("rollback-flag", "use-cache", "--reason", "  "), "say why"),
        (("rollback-flag", "use-cache"), "reason"),
        (("flags", "set", "use-cache", "101%"), "example: 25%"),
        (("flags", "set", "use-magic", "on"), "USE_CACHE"),
        (("flags", "history", "use-magic"), "USE_CACHE"),
    ],
)
def test_usage_faults_change_nothing(
    sqlite_program: Program, arguments: tuple[str, ...], said: str
) -> None:
    """An unknown flag, an empty reason, a share out of range: 2, and what would be right."""
    result = sqlite_program(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not sqlite_program.database_file.exists()


def _break_percent(program: Program) -> None:
    program("flags", "set", "use-csv-export", "on")
    program.query("UPDATE feature_flags SET percent = 900")


def _drop_table(program: Program) -> None:
    program.query("DROP TABLE feature_flags")


@pytest.mark.parametrize("damage", [_break_percent, _drop_table])
def test_unreadable_flags_mean_the_old_way(
    shop: Program, damage: Callable[[Program], None]
) -> None:
    """When nobody knows whether a flag is rolled back, every one is off, with a warning."""
    damage(shop)

    result = shop("sync", "--json")

    assert result.exit_code == 3
    assert result.report["source"] == "pages"
    # The pages show what the export that filled the shop did not.
    codes = [p["code"] for p in result.report["problems"]]
    assert codes == ["flags_unreadable", "completed"]
    assert not any(flag["value"] for flag in result.report["flags"].values())


def test_two_operators_at_once_leave_one_true_story(shop: Program) -> None:
    """However two changes meet, each event begins where the one before it ended."""
    changes = [
        ("rollback-flag", "use-csv-export", "--reason", f"no. {n}") if n % 2
        else ("flags", "set", "use-csv-export", f"{n}%")
        for n in range(8)
    ]  # fmt: skip
    processes = [shop.start(*change) for change in changes]
    assert [process.wait(timeout=HUNG_AFTER_SECONDS) for process in processes] == [0] * 8

    events = shop("flags", "history", "--json").report["events"]

    assert len(events) == 8
    assert [e["from"] for e in events] == ["on", *(e["to"] for e in events[:-1])]
    for process in processes:
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()


def _lose_half(sandbox: SandboxServer) -> None:
    """Let Discogs make exports that lack half of the shop, as a bug there would."""
    full = sandbox.state.inventory
    sandbox.state.exported = full[: len(full) // 2]


def test_bad_data_on_the_new_path_rolls_it_back_by_itself(
    shop: Program, sandbox: SandboxServer
) -> None:
    """An export that its witness contradicts: the pages are taken, and the export stays off."""
    _lose_half(sandbox)

    failing = shop("sync", "--json")
    sandbox.state.exported = None
    after = shop("sync", "--json")

    assert failing.exit_code == 3
    assert failing.report["source"] == "pages"
    assert failing.report["fallback_from"] == "export"
    assert failing.counts == {"seen": 310, "unchanged": 310, "active": 310}
    assert "flag_rolled_back" in [p["code"] for p in failing.report["problems"]]
    assert failing.report["flags"]["USE_CSV_EXPORT"]["value"] is False
    assert "USE_CSV_EXPORT is rolled back" in failing.stderr
    assert (after.exit_code, after.report["source"]) == (0, "pages")
    (event,) = shop("flags", "history", "--json").report["events"]
    assert event["run"] == failing.report["run_id"]
    assert "Discogs counts 310" in event["reason"]


def test_limit_on_the_new_path_rolls_it_back_and_refuses_what_both_ways_show(
    shop: Program, sandbox: SandboxServer
) -> None:
    """When the pages trip the same limit the run is refused, and the flag is rolled back."""
    before = shop.query("SELECT * FROM listings ORDER BY id")
    sandbox.state.inventory = [
        *make_shop(310)[200:], *(x for n in range(200) for x in [make_shop(600)[400 + n]])
    ]  # fmt: skip

    refused = shop("sync", "--json")

    assert refused.exit_code == 13
    assert refused.report["source"] == "pages"
    assert refused.report["error"]["code"] == "too_many_removals"
    assert shop.query("SELECT * FROM listings ORDER BY id") == before
    assert _flag(shop)["state"] == "rolled back"


def test_dry_run_goes_the_same_way_and_leaves_the_flag(
    shop: Program, sandbox: SandboxServer
) -> None:
    """A dry run tells what the run would do, falling back included, and switches nothing."""
    _lose_half(sandbox)
    result = shop("sync", "--dry-run", "--json")
    assert (result.exit_code, result.report["source"]) == (3, "pages")
    assert "would be rolled back" in result.stderr
    assert _flag(shop)["state"] == "on"


def test_export_taken_literally_is_not_left(shop: Program, sandbox: SandboxServer) -> None:
    """With `--source export` nobody falls back, and the flag stays as it is."""
    _lose_half(sandbox)
    assert shop("sync", "--source", "export").exit_code == 14
    assert _flag(shop)["state"] == "on"


@pytest.mark.usefixtures("waits")
def test_refusal_stays_when_the_pages_cannot_be_had(shop: Program, sandbox: SandboxServer) -> None:
    """A refused export and no pages: the refusal is what somebody must look at."""
    _lose_half(sandbox)
    sandbox.state.faults = [Fault(path="/users/", status=503, times=999, after=2, has_effect=False)]
    result = shop("sync", "--json")
    assert result.exit_code == 14
    assert "pages could not be fetched either" in result.report["error"]["hint"]


def test_rollback_during_the_very_first_load(program: Program, sandbox: SandboxServer) -> None:
    """With nothing in the database yet the flag is rolled back all the same."""
    sandbox.state.inventory = make_shop(310)
    _lose_half(sandbox)
    result = program("sync", "--json")
    assert result.exit_code == 3
    assert result.counts["added"] == 310
    assert _flag(program)["state"] == "rolled back"


def test_read_only_database_is_said(sqlite_program: Program) -> None:
    """A flag that could not be stored is not said to be rolled back."""
    sqlite_program("sync")
    sqlite_program.database_file.chmod(0o444)
    directory = sqlite_program.database_file.parent
    done = subprocess.run(
        ["/usr/bin/setpriv", "--bounding-set=-dac_override", *sqlite_program.command(*ROLL_BACK)],
        env={**sqlite_program.environment, "PATH": "/usr/bin:/bin"},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 16
    assert "permissions" in done.stderr


def test_changes_between_two_looks_are_rolled_back_alone(
    shop: Program, sandbox: SandboxServer
) -> None:
    """After a rollback the old path goes on mirroring, hour by hour."""
    shop(*ROLL_BACK)
    sandbox.state.inventory = with_changed(sandbox.state.inventory, 3, comments="ours")
    assert shop("sync", "--json").counts["updated"] == 1
