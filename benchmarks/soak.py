"""Let a shop live for a year of hours, with trouble, and compare the database after each of them.

    python benchmarks/soak.py [--hours 336] [--listings 320] [--postgres] [--seed 1]

Each hour the shop sells, adds and changes records, and discosync mirrors it from the sandbox over
HTTP. The clock goes an hour further each time. One hour in eight there is trouble: Discogs answers
with errors, web pages or half a body, an export lacks listings, the disk is full, the database is
locked, the run is killed. Artists are linked, flags are switched, history is thinned, old listings
are purged, backups are made and restored in between.

After every hour the database must hold what a model of a few lines says; the first wrong row ends
it. At the end memory, open files, threads, files on the disk and seconds are shown, from the first
day to the last. Open files and threads that creep, and more files than are meant to be kept, are a
failure; seconds and memory are for people to judge. 8760 hours are a year. It needs the `dev`
extra.
"""

import argparse
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.harness.processes import Measured, measure
from discosync.core.inventory.listing import Listing
from discosync.sandbox.server import serving
from discosync.sandbox.state import Fault, SandboxState
from tests.support import killing
from tests.support.instant_waits import make_waiting_instant
from tests.support.mirror_model import Model, different_rows, follow_history, read_rows
from tests.support.postgres import running_postgres
from tests.support.program import TOKEN, Program, Result, environment_for
from tests.support.shop import SELLER, make_listing, make_shop

BEGIN = datetime(2026, 1, 5, 0, 10, tzinfo=UTC)
PURGED_AFTER_HOURS = 480
FILES_KEPT = 500 + 10 + 40
"""Reports, backups, and everything else that discosync keeps; archives of purges come on top."""

_ANSWERS = (
    {"status": 500},
    {"status": 502, "body": "<html>bad gateway</html>"},
    {"status": 429, "body": '{"message": "too quickly"}'},
    {"body": "<html>maintenance</html>"},
    {"cut_at": 40},
)
_PATHS = (
    "/oauth/identity",
    "/users/",
    "/inventory/export",
    "/inventory/export/18",
    "/marketplace/",
)


@dataclass(slots=True, kw_only=True)
class _Sample:
    """What one day left: in this process, in the largest process of its own, and on the disk."""

    hour: int
    memory_mb: float
    open_files: int
    threads: int
    files: int
    disk_mb: float
    seconds: float
    process_mb: float = 0.0


class _Shop:
    """The seller at Discogs: what he does in an hour, by chance."""

    def __init__(self, state: SandboxState, rng: random.Random) -> None:
        self.state = state
        self.rng = rng
        self.numbers = len(state.inventory)

    @property
    def there(self) -> dict[int, Listing]:
        return {x.listing_id: x for x in self.state.inventory}

    def live(self) -> None:
        """Sell, withdraw, offer, relist and change a few."""
        rng, after = self.rng, self.there
        for_sale = [x for x in after.values() if x.is_for_sale]
        rest = [x for x in after.values() if not x.is_for_sale]
        for listing in rng.sample(for_sale, 3):
            price = Decimal(rng.randrange(100, 9000)) / 100
            after[listing.listing_id] = replace(listing, price_value=price)
        for listing in rng.sample(for_sale, rng.randrange(3)):
            status = rng.choice(("Sold", "Sold", "Draft", "Expired", ""))
            after[listing.listing_id] = replace(listing, status=status)
            if not status:
                del after[listing.listing_id]
        for listing in rng.sample(rest, min(len(rest), rng.randrange(2))):
            after[listing.listing_id] = replace(listing, status="For Sale")
        while sum(x.is_for_sale for x in after.values()) < 310:
            listing = make_listing(self.numbers)
            self.numbers += 1
            after[listing.listing_id] = listing
        # Discogs shows sold listings for years; here for as long as the run has room for them.
        old = [i for i, x in after.items() if not x.is_for_sale][: max(0, len(after) - 700)]
        self.state.inventory = [x for i, x in after.items() if i not in old]


class _Soak:
    """One life: the shop, the program, its database and the model."""

    def __init__(self, program: Program, shop: _Shop, options: argparse.Namespace) -> None:
        self.program, self.shop, self.options = program, shop, options
        self.rng = shop.rng
        self.model = Model()
        self.gone_since: dict[int, int] = {}
        self.backup: tuple[str, Model, dict[int, int]] | None = None
        self.counts: dict[str, int] = {}
        self.archives = 0
        self.seconds: list[float] = []
        self.process_mb = 0.0
        self.samples: list[_Sample] = []
        self.last = "nothing"

    def live(self) -> None:
        """Let all hours pass."""
        for hour in range(self.options.hours):
            with time_machine.travel(BEGIN + timedelta(hours=hour)):
                if hour:
                    self.shop.live()
                self._pass(hour)
                self._compare(hour)
                if hour % 24 == 23:
                    self._end_day(hour)
                if hour % 168 == 167:
                    self._end_week(hour)
        follow_history(self.program, self.model.rows)

    def _pass(self, hour: int) -> None:
        trouble = self.rng.random() if hour else 1.0
        began = time.process_time()
        if trouble < 0.09:
            self._sync_in_trouble(hour)
        elif trouble < 0.11:
            self._sync_lacking(hour)
        elif trouble < 0.115:
            self._sync_locked(hour)
        elif trouble < 0.13:
            self._run_process(hour, "kill", "--kill-at", str(self.rng.randrange(1, 120)))
        elif trouble < 0.135:
            self._run_process(hour, "full", "--full-at", str(self.rng.randrange(20_000, 400_000)))
        elif hour % 24 == 12:
            self._run_process(hour, "process")
        else:
            source = self.rng.choice(("auto", "auto", "auto", "pages"))
            result = self._sync(hour, "--source", source)
            assert result.exit_code in {0, 3}, (hour, result.stdout)
            self._count("quiet")
            self.seconds.append(time.process_time() - began)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    # Hours.

    def _sync(self, hour: int, *options: str) -> Result:
        result = self.program("sync", "--json", *options)
        if result.exit_code in {0, 3}:
            self._follow(hour, result.report["source"])
        else:
            assert result.exit_code in {11, 12, 13, 14, 15, 16}, (hour, result.stdout)
        self._count(f"exit {result.exit_code}")
        self.last = f"{options} of {result.report.get('source')}, {result.exit_code}"
        return result

    def _follow(self, hour: int, source: str) -> None:
        state = self.shop.state
        shown = state.inventory
        if source == "export" and state.exported is not None:
            shown = state.exported
        if source == "pages":
            shown = [x for x in shown if x.is_for_sale]
        answers = not any(f.path == "/marketplace/" and f.method == "GET" for f in state.faults)
        self.model.sync(shown, self.shop.there, answers=answers)
        inactive = {i for i, row in self.model.rows.items() if row.reason is not None}
        self.gone_since = {i: self.gone_since.get(i, hour) for i in inactive}

    def _sync_in_trouble(self, hour: int) -> None:
        fault = dict[str, Any](self.rng.choice(_ANSWERS))
        path, method = self.rng.choice(_PATHS), self.rng.choice(("GET", "GET", "POST"))
        state = self.shop.state
        state.faults = [Fault(path=path, method=method, times=1_000_000, **fault)]
        self._sync(hour)
        state.faults = []
        self._count("trouble")

    def _sync_lacking(self, hour: int) -> None:
        state = self.shop.state
        lacking = self.rng.sample([x for x in state.inventory if x.is_for_sale], 2)
        state.exported = [x for x in state.inventory if x not in lacking]
        self._sync(hour)
        state.exported = None
        self._count("lacking")

    def _sync_locked(self, hour: int) -> None:
        if not self.program.database_url.startswith("sqlite"):
            self._sync(hour)
            return
        with closing(sqlite3.connect(self.program.database_file)) as other:
            other.execute("BEGIN IMMEDIATE")
            self._sync(hour)
            other.rollback()
        self._count("locked")

    def _run_process(self, hour: int, what: str, *options: str) -> None:
        """Run a whole process; whatever became of it, its run has written all or nothing."""
        at = ("--at", datetime.now(UTC).isoformat())
        done = self._measure([*at, *options, "--", "sync", "--source", "export", "-q"])
        self._count(what)
        self.last = f"{what} {options}, {done.exit_code}"
        if read_rows(self.program) != self.model.rows:
            self._follow(hour, "export")
        if what == "process":
            assert done.exit_code in {0, 3}, (hour, done.complaint)
            self.process_mb = done.peak_mb

    def _measure(self, arguments: list[str]) -> Measured:
        command = [sys.executable, str(Path(__file__).resolve()), *arguments]
        return measure(command, cwd=self.program.directory, more=self.program.environment)

    # Days and weeks.

    def _end_day(self, hour: int) -> None:
        self._expect("flags", "set", "use-csv-export", "on", "--yes")
        self._expect("enrich", self.rng.choice(("--names-only", "--all")))
        flag = self.rng.choice(("use-content-hash", "use-cache", "enable-artist-enrichment"))
        self._expect("flags", "set", flag, self.rng.choice(("on", "on", "off", "50%")), "--yes")
        # The sandbox keeps every request and export; what creeps must be discosync's own.
        self.shop.state.requests.clear()
        for export in self.shop.state.exports[:-3]:
            export.body = b""
        self._sample(hour)

    def _end_week(self, hour: int) -> None:
        follow_history(self.program, self.model.rows)
        if self.backup is not None and self.rng.random() < 0.25:
            file, self.model, self.gone_since = self.backup
            self._expect("db", "restore", file, "--no-backup")
            self.backup = None
        else:
            self._purge(hour)
            self._expect("db", "compact", "--apply", "--no-backup", "--older-than", "30d")
            made = self._expect("db", "backup", "--json").report["file"]
            self.backup = (made, deepcopy(self.model), dict(self.gone_since))
        self._compare(hour)

    def _compare(self, hour: int) -> None:
        fault = different_rows(read_rows(self.program), self.model.rows)
        assert not fault, f"hour {hour}, after {self.last}: {fault}"

    def _purge(self, hour: int) -> None:
        age = ("--older-than", f"{PURGED_AFTER_HOURS * 60 + 30}m")
        options = ("--apply", "--no-backup", "--max-purge", "9999", "--json")
        self._expect("purge-inactive", *age, *options)
        last = hour - PURGED_AFTER_HOURS - 1
        old = {i for i, since in self.gone_since.items() if since <= last}
        self.archives += bool(old)
        self.model.purge(old)
        for listing_id in old:
            del self.gone_since[listing_id]

    def _expect(self, *arguments: str) -> Result:
        result = self.program(*arguments)
        self.last = str(arguments)
        assert result.exit_code in {0, 3}, (arguments, result.stdout, result.stderr)
        return result

    # What it costs.

    def _sample(self, hour: int) -> None:
        directory = self.program.directory
        files = [path for path in directory.rglob("*") if path.is_file()]
        self.samples.append(
            _Sample(
                hour=hour + 1,
                memory_mb=_memory_mb(),
                open_files=len(list(Path("/proc/self/fd").iterdir())),
                threads=threading.active_count(),
                files=len(files) - self.archives,
                disk_mb=sum(path.stat().st_size for path in files) / 1e6,
                seconds=statistics.median(self.seconds or [0.0]),
                process_mb=self.process_mb,
            )
        )
        self.seconds.clear()
        days = len(self.samples)
        if days == 1 or days % max(1, self.options.hours // 24 // 12) == 0:
            _show(self.samples[-1])

    def judge(self) -> None:
        """Fail when something creeps that can be counted."""
        if len(self.samples) < 2:
            return
        # What creeps does not come back: a connection of a killed run may last into one day's end.
        first, week = self.samples[0], self.samples[-7:]
        assert min(x.open_files for x in week) <= first.open_files, "open files creep"
        assert min(x.threads for x in week) <= first.threads, "threads creep"
        assert max(x.files for x in self.samples) <= FILES_KEPT, "files creep"


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


_HEAD = "after hour  memory MB  a process MB  open files  threads  files  disk MB  CPU s an hour"


def _show(x: _Sample) -> None:
    print(
        f"{x.hour:>10}  {x.memory_mb:>9.0f}  {x.process_mb:>12.0f}  {x.open_files:>10}"
        f"  {x.threads:>7}  {x.files:>5}  {x.disk_mb:>7.1f}  {x.seconds:>13.3f}",
        flush=True,
    )


@contextmanager
def _program(options: argparse.Namespace) -> Iterator[tuple[Program, SandboxState]]:
    with ExitStack() as closing_all:
        directory = Path(tempfile.mkdtemp(prefix="soak-"))
        closing_all.callback(shutil.rmtree, directory)
        patch = closing_all.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(directory)
        make_waiting_instant(patch)
        state = SandboxState(
            seller=SELLER, token=TOKEN, inventory=make_shop(options.listings), is_marked=False
        )
        server = closing_all.enter_context(serving(state))
        url = f"sqlite:///{directory / 'mirror.db'}"
        if options.postgres:
            url = closing_all.enter_context(running_postgres()).create_database()
        variables = {
            "DATABASE_URL": url,
            "DISCOGS_API_URL": server.url,
            "DISCOGS_TOKEN": TOKEN,
            "DISCOGS_USERNAME": SELLER,
            "HOME": str(directory),
        }
        yield Program(directory, environment_for(variables)), state


def _run_at(options: argparse.Namespace) -> None:
    """Be the program, at another time; killed at a point, or with files that may not grow."""
    import resource  # noqa: PLC0415 - only here

    if options.full_at:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.full_at, options.full_at))
    kill = ["--at", str(options.kill_at)] if options.kill_at else []
    sys.argv = ["killing", *kill, "--", *options.arguments]
    with time_machine.travel(datetime.fromisoformat(options.at)):
        killing.main()


def main() -> None:
    """Live, judge and show; or be one run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=int, default=336)
    parser.add_argument("--listings", type=int, default=320)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("--at", "--kill-at", "--full-at"):
        kind = str if name == "--at" else int
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.at:
        _run_at(options)
        return
    began = time.monotonic()
    with _program(options) as (program, state):
        soak = _Soak(program, _Shop(state, random.Random(options.seed)), options)
        print(_HEAD)
        soak.live()
        took = f"{options.hours} hours in {time.monotonic() - began:.0f} s"
        print(f"{took}: the database was as the model says after each")
        print(", ".join(f"{count} {what}" for what, count in sorted(soak.counts.items())))
        soak.judge()


if __name__ == "__main__":
    main()
