"""Every command that writes, each with the data that it finds: for kills at numbered points.

A scenario prepares a directory with a database once; every run then gets a copy of both.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from discosync.core.inventory.listing import Listing
from discosync.sandbox.server import SandboxServer
from tests.support.dump import sandbox_dump
from tests.support.killing import Ended, run_through
from tests.support.postgres import Postgres
from tests.support.program import TOKEN, Program, environment_for
from tests.support.shop import FIRST_ID, SELLER, make_listing, make_shop, write_export

_FIRST = make_shop(40)
_SECOND = [
    *(replace(x, status="Sold") for x in _FIRST[:3]),
    replace(_FIRST[5], price_value=_FIRST[5].price_value * 2),
    *_FIRST[6:],
    make_listing(100),
]
_THIRD = [
    *(replace(x, status="Sold") for x in _FIRST[:2]),
    *_FIRST[2:4],
    *(replace(x, comments="seen again", price_value=x.price_value + 1) for x in _FIRST[6:12]),
    *_FIRST[14:],
    *(make_listing(number) for number in range(100, 106)),
]


@dataclass(slots=True)
class Shop:
    """One directory with its database, and the Discogs that its program asks."""

    program: Program
    sandbox: SandboxServer
    postgres: Postgres | None
    known: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Ended:
        """Run to the end, and expect that all went well."""
        self.sandbox.state.exports.clear()
        ended = run_through(self.program, *arguments)
        assert ended.status in {0, 3}, (arguments, ended.status, ended.stderr)
        return ended

    def write(self, day: str, shop: list[Listing]) -> str:
        """Write a downloaded export of that day; return its name."""
        name = f"{SELLER}-inventory-{day}.csv"
        write_export(self.program.directory / name, shop)
        return name

    @contextmanager
    def copied(self, directory: Path) -> Iterator["Shop"]:
        """Give a copy of all of it, for as long as it is needed."""
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.program.directory, directory)
        url = f"sqlite:///{directory / 'mirror.db'}"
        if self.postgres:
            url = self.postgres.copy_database(self.program.database_url)
        moved = program_in(directory, url, self.sandbox)
        try:
            yield replace(self, program=moved)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            if self.postgres:
                self.postgres.drop_database(url)


def program_in(directory: Path, url: str, sandbox: SandboxServer) -> Program:
    """Return the program in a directory of its own, with its temporary files in there too."""
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    settings = {
        "DATABASE_URL": url,
        "DISCOGS_API_URL": sandbox.url,
        "DISCOGS_TOKEN": TOKEN,
        "DISCOGS_USERNAME": SELLER,
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
    }
    return Program(directory, environment_for(settings))


def prepare(directory: Path, sandbox: SandboxServer, postgres: Postgres | None, how: Any) -> Shop:
    """Make a directory with its database, as a scenario finds it."""
    url = postgres.create_database() if postgres else f"sqlite:///{directory / 'mirror.db'}"
    shop = Shop(program_in(directory, url, sandbox), sandbox, postgres)
    how(shop)
    return shop


def _empty(shop: Shop) -> None:
    shop.write("20250101-1200", _FIRST)


def _mirrored(shop: Shop) -> None:
    """Forty listings; then three sold, two vanished, one dearer, one new; all long ago."""
    shop.run("sync", "--from-file", shop.write("20250101-1200", _FIRST))
    shop.run("sync", "--from-file", shop.write("20250110-1200", _SECOND))
    shop.write("20250201-1200", _THIRD)


def _mirrored_often(shop: Shop) -> None:
    _mirrored(shop)
    prices = [replace(x, price_value=x.price_value + 3) for x in _SECOND[6:15]]
    shop.run(
        "sync", "--from-file", shop.write("20250115-1200", [*_SECOND[:6], *prices, *_SECOND[15:]])
    )


def _with_dump(shop: Shop) -> None:
    _mirrored(shop)
    (shop.program.directory / "releases.xml.gz").write_bytes(sandbox_dump(_SECOND))


def _purged(shop: Shop) -> None:
    _mirrored(shop)
    shop.run("purge-inactive", "--apply", "--no-backup", "--archive", "archives")
    (archive,) = (shop.program.directory / "archives").iterdir()
    shop.known["archive"] = f"archives/{archive.name}"


def _cached(shop: Shop) -> None:
    _mirrored(shop)
    shop.run("enrich", "--limit", "5")


def _outdated(shop: Shop) -> None:
    _mirrored(shop)
    shop.run("db", "downgrade", "0009", "--allow-loss", "--no-backup")


def _backed_up(shop: Shop) -> None:
    shop.run("sync", "--from-file", shop.write("20250101-1200", _FIRST))
    made = shop.run("db", "backup", "--json").report["file"]
    # By name: copies of the directory lie elsewhere.
    shop.known["backup"] = str(Path(made).relative_to(shop.program.directory))
    shop.run("sync", "--from-file", shop.write("20250110-1200", _SECOND))


def _last_run(shop: Shop) -> None:
    _mirrored(shop)
    shop.known["run"] = shop.run("runs", "--json").report["runs"][0]["run_id"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command that writes.

    `has_parts` is true where it commits in parts, so that a kill may leave some of them. `again`
    is what the next run is, `again_ends` with which statuses it may end: what is done cannot be
    done twice everywhere. `is_rewriting` is true where the history may shrink, as asked.
    """

    name: str
    prepare: Callable[[Shop], None]
    command: tuple[str, ...]
    has_parts: bool = False
    again: tuple[str, ...] = ()
    again_ends: tuple[int, ...] = (0, 3)
    is_rewriting: bool = False
    inventory: list[Listing] = field(default_factory=lambda: _THIRD)


_PAST, _NOW = (f"{SELLER}-inventory-{day}-1200.csv" for day in ("20250101", "20250201"))
_SOLD = str(FIRST_ID)

SCENARIOS = [
    Scenario("sync-file-first", _empty, ("sync", "--from-file", _PAST), has_parts=True),
    Scenario("sync-pages-first", _empty, ("sync", "--source", "pages"), has_parts=True),
    Scenario("sync-export-first", _empty, ("sync", "--source", "export"), has_parts=True),
    Scenario("sync-file", _mirrored, ("sync", "--from-file", _NOW)),
    Scenario("sync-pages", _mirrored, ("sync", "--source", "pages")),
    Scenario("sync-export", _mirrored, ("sync", "--source", "export")),
    Scenario(
        "enrich-api",
        _mirrored,
        ("enrich", "--limit", "12"),
        has_parts=True,
        again=("enrich", "--all"),
    ),
    Scenario(
        "enrich-dump", _with_dump, ("enrich", "--from-dump", "releases.xml.gz"), has_parts=True
    ),
    Scenario("enrich-names", _mirrored, ("enrich", "--names-only"), has_parts=True),
    Scenario(
        "purge",
        _mirrored,
        ("purge-inactive", "--apply", "--archive", "archives"),
        is_rewriting=True,
    ),
    Scenario("restore-listing", _mirrored, ("restore", _SOLD)),
    Scenario("restore-run", _last_run, ("restore", "--run", "{run}"), again_ends=(0, 2, 3)),
    Scenario("restore-archive", _purged, ("restore", "--from-archive", "{archive}")),
    Scenario(
        "flags-set", _mirrored, ("flags", "set", "use-csv-export", "50%", "-y", "--reason", "try")
    ),
    Scenario("rollback-flag", _mirrored, ("rollback-flag", "use-csv-export", "--reason", "stuck")),
    Scenario("compare", _mirrored, ("compare",)),
    Scenario("db-upgrade", _outdated, ("db", "upgrade"), has_parts=True),
    Scenario(
        "db-downgrade",
        _mirrored,
        ("db", "downgrade", "0009", "--allow-loss"),
        again_ends=(0, 2),
        is_rewriting=True,
    ),
    Scenario("db-backup", _mirrored, ("db", "backup")),
    Scenario("db-restore", _backed_up, ("db", "restore", "{backup}"), is_rewriting=True),
    Scenario("db-compact", _mirrored_often, ("db", "compact", "--apply"), is_rewriting=True),
    Scenario("cache-clear", _cached, ("cache", "clear")),
]
