"""The ways to keep a shop in a database: how each is started, and where its rows are found."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness.exports import Case
from benchmarks.harness.states import State

_PLAIN: Final = "SELECT listing_id, price, comments FROM listings WHERE status = 'For Sale'"
_OLD: Final = "SELECT listing_id, price_value, comments FROM listings WHERE status = 'For Sale'"
_OURS: Final = "SELECT listing_id, price_value, comments FROM active_listings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way.

    `query` gives what is for sale (None: it keeps nothing); `is_best` marks the ways whose
    quicker one the others are compared with; `is_limit` what no way that does its work can beat.
    """

    name: str
    module: str
    query: str | None = _PLAIN
    cases: frozenset[Case] = frozenset(Case)
    only_sqlite: bool = False
    needs_requirements: bool = True
    is_best: bool = False
    is_limit: bool = False

    def runs(self, case: Case, database: str) -> bool:
        """Tell whether it does this work at all."""
        return case in self.cases and (database == "sqlite" or not self.only_sqlite)

    def command(self, python: Path, export: Path, state: State, case: Case) -> list[str]:
        """Give the command line; `python` is the alternatives' environment."""
        if self.name == DISCOSYNC:
            # A real shop rarely loses 1% in an hour: above 500 listings the limit refuses it.
            allowed = ["--max-removals", "5%"] if case is Case.CHANGED else []
            more = ["sync", "-q", "--from-file", str(export), *allowed]
            return [sys.executable, "-m", self.module, *more]
        chosen = python if self.needs_requirements else Path(sys.executable)
        return [str(chosen), "-m", self.module, str(export), state.url]

    def environment(self, state: State) -> Mapping[str, str]:
        """Give its settings."""
        if self.name != DISCOSYNC:
            return {}
        return {
            "DATABASE_URL": state.url,
            "DISCOGS_USERNAME": "bench",
            "DISCOGS_CURRENCY": "EUR",
            "REPORT_DIR": str(state.directory / "reports"),
            "HOME": str(state.directory),
        }


DISCOSYNC: Final = "discosync"
OLD_SHOP: Final = "orm"

WAYS: Final = (
    Way(name=DISCOSYNC, module="discosync", query=_OURS, needs_requirements=False),
    Way(name="polars", module="benchmarks.ways.polars_sync", is_best=True),
    Way(name="duckdb", module="benchmarks.ways.duckdb_sync", is_best=True),
    Way(name="dlt", module="benchmarks.ways.dlt_sync"),
    Way(name="sqlite-utils", module="benchmarks.ways.sqlite_utils_sync", only_sqlite=True),
    Way(name=OLD_SHOP, module="benchmarks.ways.orm_sync", query=_OLD, needs_requirements=False),
    Way(
        name="csv-only",
        module="benchmarks.ways.csv_only",
        query=None,
        needs_requirements=False,
        is_limit=True,
    ),
    Way(
        name="bare-write",
        module="benchmarks.ways.bare_write",
        cases=frozenset({Case.FIRST}),
        needs_requirements=False,
        is_limit=True,
    ),
)
