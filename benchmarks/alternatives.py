"""Time discosync and what a seller could use instead, and check the rows that each one leaves.

    python benchmarks/alternatives.py [--listings 100000] [--databases sqlite,postgres] [--runs 3]
        [--only NAME,…] [--cases NAME,…] [--postgres-url URL] [--work DIR] [--json FILE]

Makes its data, installs the alternatives into a separate environment, runs every way in turn as a
whole process on a fresh copy of the same state, and prints medians and ratios. Ends with 1 when a
way failed or left wrong rows. What limits each figure: docs/explanation/costs.md.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

sys.path.insert(0, str(Path(__file__).parents[1]))  # the checkout, which no environment holds

from benchmarks.harness.api_calls import count_api_calls
from benchmarks.harness.exports import Case, Export, make_exports
from benchmarks.harness.processes import measure
from benchmarks.harness.requirements import make_environment
from benchmarks.harness.results import Row, render_table, write_json
from benchmarks.harness.right_rows import find_fault
from benchmarks.harness.states import PostgresStates, SqliteStates, State, States
from benchmarks.harness.ways import DISCOSYNC, OLD_SHOP, WAYS, Way

DATABASES = ("sqlite", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """The exports, cases and interpreter that all runs use."""

    exports: Mapping[Case, Export]
    cases: Sequence[Case]
    python: Path
    runs: int

    def time(self, database: str, states: States, ways: Sequence[Way]) -> Iterator[Row]:
        """Run every case on one database: one way after the other, each on a fresh state."""
        loaded: dict[Way, State] = {}
        for case in self.cases:
            rows = [
                Row(database=database, case=case, way=way)
                for way in ways
                if way.runs(case, database)
            ]
            for _ in range(self.runs):
                for row in rows:
                    self._run(row, self._state(case, row.way, states, loaded))
            yield from rows

    def _state(self, case: Case, way: Way, states: States, loaded: dict[Way, State]) -> State:
        """Return a fresh state; the one after a first load is made once and kept in `loaded`."""
        if case is Case.FIRST or way.query is None:
            return states.make("run")
        if way not in loaded:
            loaded[way] = self._load(way, states)
        return states.copy(loaded[way], "run")

    def _load(self, way: Way, states: States) -> State:
        state = states.make(f"loaded-{way.name}")
        command = way.command(self.python, self.exports[Case.FIRST].path, state, Case.FIRST)
        done = measure(command, cwd=state.directory, more=way.environment(state))
        if done.exit_code != 0:
            raise SystemExit(f"{way.name} ended with {done.exit_code}: {done.complaint}")
        states.settle(state)
        return state

    def _run(self, row: Row, state: State) -> None:
        way, export = row.way, self.exports[row.case]
        command = way.command(self.python, export.path, state, row.case)
        done = measure(command, cwd=state.directory, more=way.environment(state))
        row.runs.append(done)
        print(f"{row.database} {row.case} {way.name} {done.seconds:.2f} s", file=sys.stderr)
        if done.exit_code != 0:
            row.fault = row.fault or f"exit {done.exit_code}, {done.complaint}"
        elif way.query:
            row.fault = row.fault or find_fault(state.url, way.query, export.for_sale)


@contextmanager
def _states(database: str, work: Path, postgres_url: str | None) -> Iterator[States]:
    if database == "sqlite":
        yield SqliteStates(work)
    elif postgres_url:
        server = PostgresStates(work, postgres_url)
        try:
            yield server
        finally:
            server.drop_all()
    else:
        # The tests know how to start a server; it runs with its own defaults here.
        from tests.support.postgres import running_postgres  # noqa: PLC0415 - not on SQLite

        with running_postgres(settings=()) as started:
            yield PostgresStates(work, started.url("postgres"))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--databases", type=_names_of(DATABASES), default=DATABASES)
    parser.add_argument("--runs", type=int, default=3)
    names = tuple(way.name for way in WAYS)
    parser.add_argument("--only", type=_names_of(names), default=names, metavar="NAME,…")
    cases = tuple(Case)
    parser.add_argument("--cases", type=_names_of(cases), default=cases, metavar="NAME,…")
    parser.add_argument("--postgres-url", help="a server whose databases may be made and dropped")
    parser.add_argument(
        "--work", type=Path, default=platformdirs.user_cache_path("discosync") / "benchmarks"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


class _names_of:  # noqa: N801 - argparse shows it as the type
    """Parses names separated by commas; refuses a name that is not allowed."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = allowed

    def __call__(self, text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        for name in names:
            if name not in self._allowed:
                known = ", ".join(self._allowed)
                raise argparse.ArgumentTypeError(f"{name!r} is none of {known}")
        return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    options = _parse(arguments)
    work = options.work.resolve()
    ways = [way for way in WAYS if way.name in options.only]
    exports = make_exports(work / f"exports-{options.listings}", options.listings)
    needs = any(way.needs_requirements for way in ways)
    bench = _Bench(
        exports=exports,
        cases=[case for case in Case if case in options.cases],
        python=make_environment(work) if needs else Path(sys.executable),
        runs=options.runs,
    )
    calls = count_api_calls(options.listings, len(exports[Case.FIRST].for_sale))
    api_calls = {DISCOSYNC: calls.by_export, OLD_SHOP: calls.old_shop}
    rows: list[Row] = []
    for database in options.databases:
        root = work / "states" / database
        with _states(database, root, options.postgres_url) as states:
            rows += bench.time(database, states, ways)
        shutil.rmtree(root, ignore_errors=True)
    print(render_table(rows, api_calls))
    print(f"\ndiscosync by pages instead of the export: {calls.by_pages:,} API calls")
    if options.json:
        write_json(options.json, rows, api_calls, options.listings)
    return 1 if any(row.fault for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
