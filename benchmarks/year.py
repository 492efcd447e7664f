"""Fill a database with a year of hourly history, then time the commands that read the past.

    python benchmarks/year.py --database sqlite:////tmp/year.db [--listings 100000] [--hours 8760]
        [--changes 300] [--runs 3] [--keep]
    python benchmarks/year.py --postgres …

The inventory is loaded by a real sync. The hours after it are written in bulk, in the form in which
runs write them, with checkpoints. `--keep` uses the database as an earlier call has left it;
`--postgres` starts a server for this call. At the end `db compact` thins the history, and all
commands are timed once more.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from discosync.core.inventory.listing import content_hash_of_row
from discosync.core.planning.known import STORED_FIELDS
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import Session
from discosync.database.connection.values import naive
from discosync.database.past.checkpoints import make_checkpoints
from discosync.database.rows.known import load_rows
from discosync.database.schema.tables import listings, sync_runs
from discosync.sandbox.answers import render_csv
from discosync.sandbox.inventory import make_inventory

SELLER = "bench"
COMMANDS = (
    ("status",),
    ("runs",),
    ("history", "{listing}"),
    ("as-of", "7d", "--csv"),
    ("as-of", "182d", "--csv"),
    ("as-of", "360d", "--csv"),
    ("as-of", "360d", "--json"),
    ("restore", "{listing}", "--dry-run"),
    ("restore", "--run", "{run}", "--dry-run"),
    ("stats",),
    ("purge-inactive",),
    ("db", "compact"),
)


class _Year:
    """A shop's year: what changes in each hour."""

    def __init__(self, known: dict[str, tuple[str, bool]], begin: datetime) -> None:
        self.price = {i: price for i, (price, _) in known.items()}
        self.removed: dict[str, datetime] = {}
        self.active = [i for i, (_, is_active) in known.items() if is_active]
        self.begin = begin
        self.touched: set[str] = set()

    def hour(self, number: int, changes: int) -> Iterator[tuple[str, str, str]]:
        """Yield listing id, kind and fields, as JSON, of every change of one hour."""
        now = self.begin + timedelta(hours=number)
        for position in random.sample(range(len(self.active)), changes):
            if position >= len(self.active):  # the list got shorter meanwhile
                continue
            listing = self.active[position]
            self.touched.add(listing)
            if random.random() < 0.85:
                before, after = self.price[listing], f"{random.randint(100, 9900) / 100:.2f}"
                self.price[listing] = after
                yield listing, "updated", json.dumps({"price_value": [before, after]})
            elif (back := next(reversed(self.removed), None)) is not None and random.random() < 0.5:
                gone = self.removed.pop(back)
                self.active.append(back)
                yield back, "reactivated", _lifecycle(gone, None)
            else:
                self.active[position] = self.active[-1]
                self.active.pop()
                self.removed[listing] = now
                yield listing, "removed", _lifecycle(None, now)


def _lifecycle(before: datetime | None, after: datetime | None) -> str:
    def parts(at: datetime | None) -> tuple[bool, str | None, str | None, str]:
        stamp = None if at is None else at.isoformat().replace("+00:00", "Z")
        return at is None, stamp, "sold" if at else None, "Sold" if at else "For Sale"

    names = ("is_active", "removed_at", "removal_reason", "status")
    fields = {n: list(p) for n, *p in zip(names, parts(before), parts(after), strict=True)}
    fields["sold_at"] = fields["removed_at"]
    return json.dumps(fields)


def _fill(database: Database, options: argparse.Namespace) -> None:
    with database.alchemy_session(writes=True) as session:
        c = listings.c
        rows = session.alchemy.execute(select(c.listing_id, c.price_value, c.is_active))
        known = {row[0]: (f"{row[1]:.2f}", row[2]) for row in rows}
        template = dict(session.alchemy.execute(select(sync_runs)).mappings().one())
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=options.hours)
        first = {"started_at": begin, "finished_at": begin, "snapshot_as_of": begin}
        session.alchemy.execute(sync_runs.update().values(first))
        session.alchemy.execute(listings.update().values(created_at=begin))
        year = _Year(known, begin)
        writer = bulk_writer(session)
        writer.insert("sync_runs", _RUN_COLUMNS, _runs(template, begin, options))
        columns = ("sync_run_id", "seller", "listing_id", "kind", "fields")
        writer.insert("listing_changes", columns, _history(year, template["id"], options))
        if not session.is_sqlite:
            serial = "SELECT setval('sync_runs_id_seq', (SELECT max(id) FROM sync_runs))"
            session.execute(serial)
            session.execute("ANALYZE")
        _settle(session, year)
        began = time.monotonic()
        made = make_checkpoints(session, SELLER, before=datetime.now(UTC))
        print(f"{made} checkpoints: {(time.monotonic() - began) / max(made, 1):.2f} s each")


_RUN_COLUMNS = (
    "id",
    "run_id",
    "command",
    "seller",
    "status",
    "exit_code",
    "source",
    "snapshot_as_of",
    "started_at",
    "finished_at",
    "report",
)


def _runs(
    template: dict[str, object], begin: datetime, options: argparse.Namespace
) -> Iterator[Row]:
    report = template["report"]
    assert isinstance(report, dict)
    kinds = {"added": 0, "updated": options.changes * 4 // 5, "removed": options.changes // 20}
    for hour in range(1, options.hours + 1):
        at = naive(begin + timedelta(hours=hour))
        value = {"EUR": {"listings": 70_000, "value": f"{1_500_000 + random.randint(0, 9999)}.50"}}
        moves = {"EUR": {"raised": 120, "lowered": 130, "difference": "-12.30"}}
        run_id, stamp = f"00000000-0000-4000-8000-{hour:012}", f"{at:%Y-%m-%dT%H:%M:%SZ}"
        own = {"run_id": run_id, "started_at": stamp, "finished_at": stamp}
        counts = {"listings": {**report["listings"], **kinds}}
        told = json.dumps(
            {**report, **own, **counts, "inventory_value": value, "price_changes": moves}
        )
        yield (
            *(int(str(template["id"])) + hour, run_id),
            *("sync", SELLER, "ok", 0, "export", at, at, at, told),
        )


def _history(year: _Year, first: int, options: argparse.Namespace) -> Iterator[Row]:
    for hour in range(1, options.hours + 1):
        for listing, kind, fields in year.hour(hour, options.changes):
            yield first + hour, SELLER, listing, kind, fields


def _settle(session: Session, year: _Year) -> None:
    """Write the touched rows as their last change left them."""
    assignments = Assignments(
        set_columns=(
            "price_value",
            "status",
            "is_active",
            "removed_at",
            "removal_reason",
            "sold_at",
            "content_hash",
        ),
        keys=("seller", "listing_id"),
    )
    ids = [int(i) for i in year.touched]
    rows = list(load_rows(session, SELLER, ids))

    def settled() -> Iterator[Row]:
        for row in rows:
            listing = str(row.listing_id)
            gone = year.removed.get(listing)
            status, price = "Sold" if gone else "For Sale", Decimal(year.price[listing])
            content = dict(zip(STORED_FIELDS, row.values, strict=True))
            digest = content_hash_of_row({**content, "status": status, "price_value": price})
            reason = "sold" if gone else None
            state = (price, status, gone is None, naive(gone), reason, naive(gone), digest)
            yield (*state, SELLER, listing)

    bulk_writer(session).update("listings", assignments, settled())


def _make(options: argparse.Namespace, environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "year.csv"
        path.write_bytes(render_csv(make_inventory(options.listings)))
        command = [sys.executable, "-m", "discosync", "sync", "-q", "--from-file", str(path)]
        subprocess.run([*command, "--seller", SELLER], env=environment, check=True)
    database = open_database(options.database, read_only=False, application="benchmark")
    _fill(database, options)


def _time(options: argparse.Namespace, environment: dict[str, str]) -> None:
    database = open_database(options.database, read_only=True, application="benchmark")
    with database.session() as session:
        statement = "SELECT listing_id FROM listing_changes ORDER BY id DESC LIMIT 1"
        listing = session.value(statement)
        statement = "SELECT run_id FROM sync_runs ORDER BY id DESC LIMIT 1"
        run = session.value(statement)
    for command in COMMANDS:
        words = [word.format(listing=listing, run=run) for word in command]
        seconds, used = [], []
        for _ in range(options.runs):
            began, before = time.monotonic(), _processor_seconds()
            done = subprocess.run(
                [sys.executable, "-m", "discosync", *words],
                env=environment,
                check=False,
                capture_output=True,
            )
            seconds.append(time.monotonic() - began)
            used.append(_processor_seconds() - before)
        took = f"{statistics.median(seconds):6.2f} s, of processor {statistics.median(used):5.2f} s"
        print(f"{' '.join(command):<34} {took}  exit {done.returncode}", flush=True)


def _processor_seconds() -> float:
    """Return the processor time of all commands so far: on a busy machine a clock says less."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _show_sizes(options: argparse.Namespace) -> None:
    database = open_database(options.database, read_only=True, application="benchmark")
    with database.session() as session:
        if session.is_sqlite:
            sizes = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
        else:
            sizes = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
        by_name = {name: int(size) for name, size in session.execute(sizes)}
    shown = sorted(by_name.items(), key=lambda item: -item[1])
    large = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in shown if size > 1e6)
    print(f"{sum(by_name.values()) / 1e6:.0f} MB: {large}", flush=True)


def _compact(environment: dict[str, str]) -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "discosync", "db", "compact", "--apply", "--no-backup"]
    subprocess.run(command, env=environment, check=True)
    print(f"db compact --apply: {time.monotonic() - began:.1f} s", flush=True)


def _measure(options: argparse.Namespace) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": options.database,
        "DISCOGS_USERNAME": SELLER,
        "RETENTION_DAYS": "180",
    }
    if not options.keep:
        _make(options, environment)
    _show_sizes(options)
    _time(options, environment)
    _compact(environment)
    _show_sizes(options)
    _time(options, environment)


def main() -> None:
    """Fill, time, thin, and time again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=8_760)
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    random.seed(1)
    if options.postgres:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        from tests.support.postgres import running_postgres  # noqa: PLC0415 - the tests' own server

        with running_postgres() as server:
            options.database = server.create_database()
            _measure(options)
    elif options.database:
        _measure(options)
    else:
        parser.error("--database or --postgres")


if __name__ == "__main__":
    main()
