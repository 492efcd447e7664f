"""What messages tell people to type: it can be typed, it works, and it means what they meant."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from discosync.core.inventory.listing import Listing
from discosync.database.connection.engine import open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, NOON, SELLER, make_shop, write_export

OLD, NEW = "20250101-1200", "20250201-1200"


def _mirror(program: Program, day: str, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / f"{SELLER}-inventory-{day}.csv", shop)
    return program("sync", "--from-file", str(path), *options)


def _changed() -> list[Listing]:
    """Forty listings a month later: three sold, two vanished, five cheaper, two new."""
    shop = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(make_shop(40))]
    cheaper = [
        replace(x, price_value=Decimal("5.00")) if 10 <= i < 15 else x for i, x in enumerate(shop)
    ]
    return [*cheaper[:-2], *make_shop(60)[55:57]]


@pytest.fixture
def shop(program: Program) -> Program:
    """The program after the two months."""
    assert _mirror(program, OLD, make_shop(40)).exit_code == 0
    assert _mirror(program, NEW, _changed()).exit_code == 0
    return program


def _last_run(program: Program) -> str:
    return str(program.query("SELECT run_id FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["run_id"])


def test_an_outdated_sandbox_names_its_own_database(sqlite_program: Program) -> None:
    """What `sync --sandbox` says upgrades the sandbox, not the shop that DATABASE_URL names."""
    sqlite_program.run("sync", "--sandbox")
    file = next(sqlite_program.directory.rglob("sandbox.db"))
    own = f"sqlite:///{file}"
    sqlite_program("db", "downgrade", "0009", "--allow-loss", DATABASE_URL=own)

    refused = sqlite_program.run("sync", "--sandbox")
    typed = refused.stderr.partition("`")[2].partition("`")[0]
    variable, _, command = typed.partition(" discosync ")
    name, _, value = shlex.split(variable)[0].partition("=")
    upgraded = sqlite_program.run(*command.split(), **{name: value})
    again = sqlite_program.run("sync", "--sandbox")

    assert (refused.exit_code, upgraded.exit_code, again.exit_code) == (10, 0, 0)
    assert (name, value) == ("DATABASE_URL", own)
    assert not sqlite_program.database_file.exists()


@contextmanager
def _at_work(program: Program) -> Iterator[None]:
    database = open_database(program.database_url, read_only=True, application="discosync sync")
    holder = Holder(command="discosync sync", run_id="x", started_at=NOON)
    with hold_lock(database, MAINTENANCE_LOCK, holder, is_shared=True):
        yield


def test_a_command_that_cannot_wait_is_not_told_to(program: Program) -> None:
    """`--lock-wait` is offered where it is an option, and nowhere else."""
    program("sync")
    backup = json.loads(program("db", "backup", "--json").stdout)["file"]
    with _at_work(program):
        restored = program("db", "restore", backup)
    database = open_database(program.database_url, read_only=True, application="discosync sync")
    with hold_lock(database, SELLER, Holder(command="discosync sync", run_id="x", started_at=NOON)):
        synced = program("sync")
    assert restored.exit_code == synced.exit_code == 11
    assert "--lock-wait" not in restored.stderr
    assert "run this again" in restored.stderr
    assert "--lock-wait" in synced.stderr


def test_only_sync_is_offered_the_public_view(sqlite_program: Program) -> None:
    """`compare` has no --public, so it offers none, be the token missing or somebody else's."""
    for words in ({"DISCOGS_TOKEN": ""}, {"DISCOGS_USERNAME": "somebody-else"}):
        compared, synced = (
            sqlite_program(verb, stdin=None, **words) for verb in ("compare", "sync")
        )
        assert compared.exit_code == synced.exit_code
        assert "--public" not in compared.stderr
        assert "--public" in synced.stderr


def test_a_shop_that_was_never_synced_is_told_to_sync(program: Program) -> None:
    """Without any run `runs` could show nothing: the way out is the first sync, which works."""
    program("db", "upgrade")
    late = program("status", "--seller", SELLER)
    command = late.stderr.partition("run `discosync ")[2].partition("`")[0]
    assert late.exit_code == 13
    assert "discosync runs" not in late.stderr
    assert program(*command.split()).exit_code == 0
    assert program("status").exit_code == 0


def test_a_refused_purge_counts_by_reason(program: Program) -> None:
    """A refusal shows its arithmetic: how many, why they are gone, of how many."""
    sold = [replace(x, status="Sold") if i < 9 else x for i, x in enumerate(make_shop(40))][:-6]
    assert _mirror(program, OLD, make_shop(40)).exit_code == 0
    assert _mirror(program, NEW, sold).exit_code == 0
    refused = program("purge-inactive")
    assert refused.exit_code == 13
    assert "would purge 15 (6 missing, 9 sold) of 40 listings held" in refused.stderr


def test_a_large_restore_speaks_of_this_database(program: Program) -> None:
    """Nothing is relisted on Discogs, and the refusal does not read as if it were."""
    sold = [replace(x, status="Sold") if i < 15 else x for i, x in enumerate(make_shop(40))]
    assert _mirror(program, OLD, make_shop(40)).exit_code == 0
    assert _mirror(program, NEW, sold).exit_code == 0
    refused = program("restore", "--run", _last_run(program))
    assert "would put 15 listings back up for sale in this database" in refused.stderr


def _typed(text: str, opening: str, closing: str) -> list[str]:
    """Split what a message tells to type into words, as a shell does."""
    return shlex.split(text.partition(opening)[2].partition(closing)[0])


@pytest.mark.parametrize("place", ["beside", "elsewhere", "moved"])
def test_a_purged_listing_names_a_way_back_that_works(shop: Program, place: str) -> None:
    """What `history` and `restore` print finds the archive, wherever the purge put it."""
    elsewhere = shop.directory / "else where"
    options = [] if place == "beside" else ["--archive", str(elsewhere)]
    shop.environment["ARCHIVE_DIR"] = str(shop.directory / "archives")
    assert shop("purge-inactive", "--apply", *options).exit_code == 0
    if place == "moved":
        elsewhere.rename(shop.directory / "archives")

    told = shop("history", str(FIRST_ID)).stdout
    refused = shop("restore", str(FIRST_ID)).stderr
    command = _typed(told, "bring it back: discosync ", "\n")

    assert command == _typed(refused, "it was purged: discosync ", "\n")
    assert shop.run(*command).exit_code == 0
    assert "not for sale" in shop("history", str(FIRST_ID)).stdout


def test_a_bare_name_is_an_archive_of_this_database(shop: Program) -> None:
    """`restore --from-archive` looks for a name beside the database too, and says where it did."""
    shop("purge-inactive", "--apply", ARCHIVE_DIR=str(shop.directory / "kept"))
    name = next((shop.directory / "kept").iterdir()).name
    nowhere = shop("restore", "--from-archive", name)
    found = shop("restore", "--from-archive", name, ARCHIVE_DIR=str(shop.directory / "kept"))
    assert (nowhere.exit_code, found.exit_code) == (14, 0)
    assert "ARCHIVE_DIR" in nowhere.stderr


def test_the_rest_of_a_runs_changes_is_counted_and_can_be_seen(program: Program) -> None:
    """Twelve changes, six of them shown, leave six; an applied run is told how to see them all."""
    first = make_shop(40)
    assert _mirror(program, OLD, first).exit_code == 0
    dry = _mirror(program, NEW, _changed(), "--dry-run")
    done = _mirror(program, NEW, _changed())
    assert "… and 6 more; `--diff table` shows them" in dry.stdout
    assert "… and 6 more; `discosync runs " in done.stdout
    assert "--diff" not in done.stdout

    shown = program(*_typed(done.stdout, "`discosync ", "`"))
    report, _, table = shown.stdout.partition("\n}\n")
    rows = [line.split("\t") for line in table.splitlines()]
    assert json.loads(report + "}")["run_id"] == _last_run(program)
    assert sorted(row[0] for row in rows if row[0]) == (
        ["added"] * 2 + ["removed"] * 5 + ["updated"] * 5
    )
    assert [row[3:] for row in rows if row[0] == "updated"] == [
        ["price_value", "12.50", "5.00"]
    ] * 5

    whole = program("runs", _last_run(program), "--json").report
    kinds = sorted(change["kind"] for change in whole["changes"])
    assert kinds == ["added"] * 2 + ["removed"] * 5 + ["updated"] * 5
    assert whole["changes"][-1]["fields"]


def test_a_restore_offers_no_option_of_another_command(shop: Program) -> None:
    """`restore` has no --diff: a dry run's changes are in its --json, a real one's in `runs`."""
    run_id = _last_run(shop)
    dry = shop("restore", "--run", run_id, "--dry-run")
    assert "… and 6 more; `--json` shows them" in dry.stdout
    planned = shop("restore", "--run", run_id, "--dry-run", "--json").report["changes"]
    done = shop("restore", "--run", run_id)
    shown = shop(*_typed(done.stdout, "`discosync ", "`"), "--json").report
    assert len(planned) == 12
    assert {c["listing_id"] for c in shown["changes"]} == {c["listing_id"] for c in planned}


def test_a_sandbox_run_is_shown_from_the_sandbox(sqlite_program: Program) -> None:
    """The run is in the sandbox's own database, and what is printed looks there."""
    sqlite_program.run("sync", "--sandbox")
    second = sqlite_program.run("sync", "--sandbox")
    variable, *command = _typed(second.stdout, "more; `", "`")
    name, _, value = variable.partition("=")
    assert command[0] == "discosync"
    assert sqlite_program.run(*command[1:], **{name: value}).exit_code == 0


def test_a_run_is_named_by_how_its_id_begins(shop: Program) -> None:
    """`restore --run` takes what `runs` takes: a beginning that fits one run, and no less."""
    run_id = _last_run(shop)
    shop.query("UPDATE sync_runs SET run_id = 'aa11' || id WHERE run_id <> :run", run=run_id)
    shop.query("UPDATE sync_runs SET run_id = 'aa22' || id WHERE run_id = :run", run=run_id)
    before = shop.digest()
    several, none, empty = (shop("restore", "--run", x) for x in ("aa", "zz", ""))
    assert [x.exit_code for x in (several, none, empty)] == [2, 2, 2]
    assert "several runs begin with 'aa'" in several.stderr
    assert shop.digest() == before
    assert shop("restore", "--run", "aa22").exit_code == 0


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_what_is_to_be_typed_reads_the_same_settings(program: Program) -> None:
    """After `--config FILE` every command that is told has it, too."""
    settings = program.directory / "my shop.toml"
    settings.write_text(f"database_url = {json.dumps(program.environment.pop('DATABASE_URL'))}\n")
    first = make_shop(40)
    then = [replace(x, comments="changed") if i < 9 else x for i, x in enumerate(first)]
    for shop in (first, then):
        done = _sync(program, shop, "--config", str(settings))
    assert f"--config '{settings}'` shows them" in done.stdout
    late = program("status", "--config", str(settings), "--seller", "new")
    assert f"run `discosync sync --seller new --config '{settings}'`" in late.stderr
