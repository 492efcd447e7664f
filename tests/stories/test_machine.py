"""A shop lives, and discosync mirrors it: whatever happens, in any order, the database is right.

hypothesis makes up the order. `Model` says in a few lines what each command may do to the
database; after every step both are compared, and the history is followed through. The short profile
runs with all tests; `DISCOSYNC_MACHINE=300` tries as many long lives, other ones each time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from discosync.core.inventory.listing import Listing
from discosync.sandbox.server import serving
from discosync.sandbox.state import Fault, SandboxState
from tests.support.instant_waits import make_waiting_instant
from tests.support.mirror_model import Model, Row, counts_between, follow_history, read_rows
from tests.support.postgres import Postgres
from tests.support.program import TOKEN, Program, Result, environment_for
from tests.support.shop import SELLER, make_listing, make_shop, write_export
from tests.support.waiting import HUNG_AFTER_SECONDS

LIVES = int(os.environ.get("DISCOSYNC_MACHINE", "0"))
"""How many lives of a shop to try; 0 tries a few short ones, always the same."""

MOST_REMOVALS = 10
"""So many listings of a small shop may be missing; the machine stays below the limit."""

STATUSES = ("Sold", "Draft", "Expired", "Violation")
PRICES = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(9999), places=2)
SOURCES = st.sampled_from(["export", "pages", "file"])

Event = tuple[str, int, Decimal]
"""What happens, which listing it happens to, and a price."""

KINDS = ("offer", "reprice", "relist", "return", "delete", "delete", *STATUSES)
EVENTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 99), PRICES), min_size=1, max_size=4
)


class Machine(RuleBasedStateMachine):
    """discosync, the sandbox, one database and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        self.directory = Path(tempfile.mkdtemp(prefix="machine-"))
        self.closing.callback(shutil.rmtree, self.directory)
        self.patch = self.closing.enter_context(pytest.MonkeyPatch.context())
        self.patch.chdir(self.directory)
        make_waiting_instant(self.patch)
        self.state = SandboxState(
            seller=SELLER,
            token=TOKEN,
            inventory=make_shop(8),
            is_marked=False,
            zips_exports=False,
        )
        server = self.closing.enter_context(serving(self.state))
        self.program = Program(
            self.directory,
            environment_for(
                {
                    "DATABASE_URL": self.new_database(),
                    "DISCOGS_API_URL": server.url,
                    "DISCOGS_TOKEN": TOKEN,
                    "DISCOGS_USERNAME": SELLER,
                    "HOME": str(self.directory),
                }
            ),
        )
        self.model = Model()
        self.numbers = 8
        self.deleted: list[Listing] = []
        self.gone = 0
        self.last_run: tuple[str, Model, Model] | None = None
        self.backup: tuple[Path, Model] | None = None
        self.archive: tuple[Path, dict[int, Row], dict[int, Row]] | None = None
        self.kills = 0

    def new_database(self) -> str:
        """Give the address of a database that is not there yet."""
        return f"sqlite:///{self.directory / 'mirror.db'}"

    def teardown(self) -> None:
        """End the server and remove the files."""
        self.closing.close()

    # What happens at Discogs.

    @property
    def there(self) -> dict[int, Listing]:
        """What Discogs has."""
        return {x.listing_id: x for x in self.state.inventory}

    def _pick(self, number: int, *, for_sale: bool) -> Listing | None:
        found = [x for x in self.state.inventory if x.is_for_sale is for_sale]
        return found[number % len(found)] if found else None

    def _put(self, listing: Listing, **fields: Any) -> None:
        changed = replace(listing, **fields)
        inventory = self.state.inventory
        self.state.inventory = [
            changed if x.listing_id == listing.listing_id else x for x in inventory
        ]

    def _happen(self, events: list[Event]) -> None:
        """Let the shop live: nothing of it touches the database."""
        for kind, number, price in events:
            match kind:
                case "offer":
                    self._offer(make_listing(self.numbers, price_value=price))
                    self.numbers += 1
                case "reprice" if listing := self._pick(number, for_sale=True):
                    self._put(listing, price_value=price, comments=f"now {price}")
                case "relist" if listing := self._pick(number, for_sale=False):
                    self._put(listing, status="For Sale")
                case "return" if self.deleted:
                    self._offer(self.deleted.pop(number % len(self.deleted)))
                case _:
                    self._take_away(kind, number)

    def _offer(self, listing: Listing) -> None:
        self.state.inventory = [*self.state.inventory, listing]

    def _take_away(self, status: str, number: int) -> None:
        """Sell, block, or delete: never more than a run may remove."""
        listing = self._pick(number, for_sale=True)
        if listing is None or len(self.there) < 4 or self.gone > MOST_REMOVALS - 2:
            return
        self.gone += 1
        if status in STATUSES:
            self._put(listing, status=status)
        else:
            self.deleted.append(listing)
            self.state.inventory = [x for x in self.state.inventory if x != listing]

    # What discosync does.

    @initialize(source=SOURCES)
    def load(self, source: str) -> None:
        """Load the shop for the first time."""
        self._sync(source)

    def _sync(self, source: str, *options: str, shown: list[Listing] | None = None) -> Result:
        if source == "file":
            path = write_export(self.directory / "mine.csv", shown or self.state.inventory)
            return self._judge(source, shown, "--from-file", str(path), *options)
        return self._judge(source, shown, "--source", source, *options)

    def _judge(self, source: str, shown: list[Listing] | None, *options: str) -> Result:
        """Run `sync`, and let the model follow what its exit status says."""
        result = self.program("sync", "--json", "--changes", *options)
        if result.exit_code in {0, 3}:
            before = deepcopy(self.model)
            after = deepcopy(self.model)
            seen = self.state.inventory if shown is None else shown
            if source == "pages":
                seen = [x for x in seen if x.is_for_sale]
            faults = [(f.method, f.path) for f in self.state.faults]
            answers = ("GET", "/marketplace/") not in faults
            keeps = after.sync(seen, self.there, answers=answers)
            assert (result.exit_code == 3) == keeps, result.report["problems"]
            told = result.report["listings"]
            counts = counts_between(before, after)
            assert {name: told[name] for name in counts} == counts
            if "--dry-run" not in options:
                self.model, self.gone = after, 0
                self.last_run = (result.report["run_id"], before, deepcopy(after))
        else:
            assert result.report["error"]["code"], "it says why"
        return result

    @rule(source=SOURCES, events=EVENTS)
    def sync(self, source: str, events: list[Event]) -> None:
        """An hour as any other ends well."""
        self._happen(events)
        assert self._sync(source).exit_code in {0, 3}

    @rule(source=SOURCES, events=EVENTS)
    def dry_run(self, source: str, events: list[Event]) -> None:
        """A dry run tells the same, and writes nothing."""
        self._happen(events)
        assert self._sync(source, "--dry-run").exit_code in {0, 3}

    @rule(source=st.sampled_from(["export", "file"]), number=st.integers(0, 99), events=EVENTS)
    def sync_with_one_lacking(self, source: str, number: int, events: list[Event]) -> None:
        """An export lacks a listing that is for sale: it stays, and the run says so."""
        self._happen(events)
        lacking = self._pick(number, for_sale=True)
        shown = [x for x in self.state.inventory if x != lacking]
        if not shown:
            return
        self.state.exported = shown
        try:
            self._sync(source, shown=shown)
        finally:
            self.state.exported = None

    @rule(
        source=SOURCES,
        events=EVENTS,
        path=st.sampled_from(
            [
                "/oauth/identity",
                "/users/",
                "/inventory/export",
                "/inventory/export/18",
                "/marketplace/",
            ]
        ),
        method=st.sampled_from(["GET", "POST"]),
        fault=st.sampled_from(
            [
                {"status": 500},
                {"status": 429, "body": '{"message": "too quickly"}'},
                {"status": 401, "body": '{"message": "no"}'},
                {"status": 404, "body": "<html>"},
                {"body": "<html>maintenance</html>"},
                {"cut_at": 20},
                {"body": "{}"},
            ]
        ),
    )
    def sync_in_trouble(
        self, source: str, events: list[Event], path: str, method: str, fault: dict[str, Any]
    ) -> None:
        """Discogs answers with trouble for good: nothing changes, or everything that it shows."""
        self._happen(events)
        self.state.faults = [Fault(path=path, method=method, times=10_000, **fault)]
        try:
            result = self._sync(source)
        finally:
            self.state.faults = []
        assert result.exit_code in {0, 3, 12, 14, 15}

    @precondition(lambda self: self.kills == 0 or LIVES > 0)
    @rule(at=st.integers(1, 70), source=st.sampled_from(["export", "pages"]), events=EVENTS)
    def kill(self, at: int, source: str, events: list[Event]) -> None:
        """A killed run has written all or nothing, and the next one goes on from there."""
        self._happen(events)
        self.kills += 1
        command = [sys.executable, "-m", "tests.support.killing", "--at", str(at), "--"]
        subprocess.run(
            [*command, "sync", "--source", source],
            env={
                **self.program.environment,
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
            cwd=self.directory,
            capture_output=True,
            timeout=HUNG_AFTER_SECONDS,
            check=False,
        )
        if read_rows(self.program) != self.model.rows:
            seen = [x for x in self.state.inventory if source == "export" or x.is_for_sale]
            self.model.sync(seen, self.there, answers=True)
            self.last_run, self.gone = None, 0
        assert read_rows(self.program) == self.model.rows
        assert self._sync(source, "--lock-wait", "60").exit_code in {0, 3}

    @rule(number=st.integers(0, 99))
    def restore_listing(self, number: int) -> None:
        """A listing that was for sale once is again as it was then."""
        known = sorted(i for i in self.model.last_sale if self.model.rows[i].reason is not None)
        if not known:
            return
        listing_id = known[number % len(known)]
        assert self.program("restore", str(listing_id)).exit_code == 0
        self.model.put(listing_id, self.model.last_sale[listing_id])
        self.last_run, self.gone = None, self.gone + 1

    @precondition(lambda self: self.last_run is not None)
    @rule()
    def restore_run(self) -> None:
        """What the last run changed is as before; what it added is no longer for sale."""
        assert self.last_run is not None
        run_id, before, after = self.last_run
        result = self.program("restore", "--run", run_id, "--json")
        assert result.exit_code in {0, 3}, result.stdout
        for listing_id, row in after.rows.items():
            old = before.rows.get(listing_id)
            if old is not None and old != row:
                self.model.put(listing_id, old)
            elif old is None and row.reason is None:
                self.model.put(listing_id, row._replace(reason="missing"))
        self.last_run, self.gone = None, MOST_REMOVALS

    @rule()
    def purge(self) -> None:
        """What is not for sale is archived and deleted, and stays away until it is for sale."""
        self.program.query("UPDATE listings SET removed_at = '2020-01-01' WHERE NOT is_active")
        directory = self.directory / "archive"
        options = ("--apply", "--archive", str(directory), "--no-backup", "--max-purge", "999")
        result = self.program("purge-inactive", *options, "--json")
        assert result.exit_code == 0, result.stdout
        gone = {i for i, row in self.model.rows.items() if row.reason is not None}
        if gone:
            sales = {i: self.model.last_sale[i] for i in gone & self.model.last_sale.keys()}
            path = Path(result.report["archive"]["file"])
            self.archive = (path, self.model.purge(gone), sales)
        self.last_run = None

    @precondition(lambda self: self.archive is not None)
    @rule()
    def restore_archive(self) -> None:
        """What was purged is there again, with its history, if it has not come back by itself."""
        assert self.archive is not None
        path, rows, sales = self.archive
        result = self.program("restore", "--from-archive", str(path), "--json")
        assert result.exit_code in {0, 3}, result.stdout
        for listing_id, row in rows.items():
            if listing_id not in self.model.rows:
                self.model.rows[listing_id] = row
                if listing_id in sales:
                    self.model.last_sale[listing_id] = sales[listing_id]
                self.model.purged.discard(listing_id)
        self.archive, self.last_run = None, None

    @rule(command=st.sampled_from([("enrich", "--names-only"), ("enrich", "--all")]))
    def enrich(self, command: tuple[str, ...]) -> None:
        """Artists and labels are beside the listings: no listing changes."""
        assert self.program(*command).exit_code in {0, 3}

    @rule(
        flag=st.sampled_from(["use-content-hash", "use-csv-export", "use-cache"]),
        to=st.sampled_from(["on", "off", "50%", "back"]),
    )
    def set_flag(self, flag: str, to: str) -> None:
        """However a listing is compared, the result is the same."""
        if to == "back":
            assert self.program("rollback-flag", flag, "--reason", "a try").exit_code == 0
        else:
            assert self.program("flags", "set", flag, to, "--yes").exit_code == 0
        assert self.program("flags", "list").exit_code == 0

    @rule()
    def step_down_and_up(self) -> None:
        """A schema that is behind is refused; upgraded again it holds the same listings."""
        options = ("--allow-loss", "--no-backup")
        assert self.program("db", "downgrade", "-1", *options).exit_code == 0
        assert self.program("sync", "--source", "export").exit_code == 10
        assert self.program("db", "upgrade", "--no-backup").exit_code == 0

    @rule()
    def back_up(self) -> None:
        """Make a backup of the present state."""
        made = self.program("db", "backup", "--json").report
        self.backup = (Path(made["file"]), deepcopy(self.model))

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_backup(self) -> None:
        """The database is as it was when the backup was made; the next run finds what moved."""
        assert self.backup is not None
        path, model = self.backup
        assert self.program("db", "restore", str(path), "--no-backup").exit_code == 0
        self.model, self.last_run, self.archive = deepcopy(model), None, None
        self.gone = MOST_REMOVALS

    @rule()
    def compact(self) -> None:
        """A history that is young is left as it is."""
        assert self.program("db", "compact", "--apply", "--no-backup").exit_code == 0

    # What holds after each step.

    @invariant()
    def database_is_as_the_model_says(self) -> None:
        """Every listing, its status, price, comments and reason."""
        if self.model.rows:
            assert read_rows(self.program) == self.model.rows

    @invariant()
    def history_leads_to_the_present(self) -> None:
        """The state before each change is that after the one before it."""
        if self.model.rows:
            follow_history(self.program, self.model.rows)


SETTINGS = settings(
    max_examples=LIVES or 5,
    stateful_step_count=40 if LIVES else 12,
    deadline=None,
    derandomize=not LIVES,
    # Each step is a run of the program: making a failure smaller takes longer than reading it.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_a_life_with_one_of_everything() -> None:
    """What seldom meets by chance: each command after what makes it hard."""
    machine = Machine()

    def step(rule_of: Callable[..., None], *arguments: Any, **more: Any) -> None:
        rule_of(machine, *arguments, **more)
        machine.database_is_as_the_model_says()
        machine.history_leads_to_the_present()

    def events(*kinds: str) -> list[Event]:
        return [(kind, number, Decimal(7)) for number, kind in enumerate(kinds)]

    try:
        step(Machine.load, "export")
        # Deleted, while another one that is for sale is lacking: neither is removed.
        step(Machine.sync_with_one_lacking, "export", 5, events("delete"))
        step(Machine.sync, "pages", events("Sold", "reprice", "offer"))
        # Back with the same content: only its being active is new.
        step(Machine.sync, "export", events("return"))
        step(Machine.restore_run)
        step(Machine.sync, "file", events("delete", "Draft"))
        step(Machine.restore_listing, 0)
        step(Machine.sync, "export", events("reprice"))
        # Purged, and shown as sold for years; then for sale again.
        step(Machine.purge)
        step(Machine.sync, "export", events("offer"))
        step(Machine.back_up)
        step(Machine.sync, "export", events("relist", "relist"))
        step(Machine.restore_archive)
        step(Machine.step_down_and_up)
        step(Machine.set_flag, "use-content-hash", "off")
        step(Machine.sync, "pages", events("Sold", "delete"))
        step(Machine.restore_backup)
        step(Machine.dry_run, "export", events("offer"))
        step(Machine.kill, 45, "export", events("delete", "offer"))
        step(Machine.sync, "export", [])
    finally:
        machine.teardown()


def test_any_order_of_events_on_sqlite() -> None:
    """Syncs, faults, kills, restores, purges, backups and schema steps end as the model says."""
    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_any_order_of_events_on_postgres(postgres: Postgres) -> None:
    """The same on Postgres."""

    class OnPostgres(Machine):
        def new_database(self) -> str:
            return postgres.create_database()

    run_state_machine_as_test(OnPostgres, settings=settings(SETTINGS, max_examples=LIVES or 3))
