"""What discosync promises, each promise with the tests that hold it, and the page that shows them.

`.venv/bin/pytest --promises` runs these tests and writes their number and result into the page.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.pages import DOCS, TOP, rows

PAGE = DOCS / "explanation" / "promises.md"
_STORIES, _CORE, _HTTP = "tests/stories", "tests/core", "tests/discogs/http"
_BEGIN, _END = "| promise | test | count | result |\n| --- | --- | ---: | --- |\n", "\n\n"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise in plain words; a test is a file, or one function of it."""

    words: str
    tests: tuple[str, ...]

    def is_held_by(self, nodeid: str) -> bool:
        """Whether this test, with whatever parameters, is one of the promise's."""
        function = nodeid.partition("[")[0]
        return any(function == test or function.startswith(f"{test}::") for test in self.tests)


PROMISES = [
    Promise(
        "An inventory that is cut, empty, miscounted or incomplete takes nothing off sale.",
        (
            f"{_STORIES}/test_bad_input.py",
            f"{_STORIES}/test_fault_matrix.py::test_fault_of_discogs",
        ),
    ),
    Promise(
        "No listing is taken for gone because an inventory lacks it, before Discogs says so.",
        (
            f"{_STORIES}/test_absence.py",
            f"{_CORE}/planning/test_absence.py",
            "tests/discogs/inventory/test_lookups.py",
        ),
    ),
    Promise(
        "Mass removals and mass changes are refused; the refusal says how to allow them once.",
        (f"{_STORIES}/test_limits.py", f"{_CORE}/planning/test_limits.py"),
    ),
    Promise(
        "Whenever a run is killed, the database holds the state before it or the state after it.",
        (
            f"{_STORIES}/test_kills.py",
            f"{_STORIES}/test_processes.py::test_kill_at_any_point_leaves_before_or_after",
            "tests/database/schema/test_migrating_killed.py",
        ),
    ),
    Promise(
        "Every fault ends in its own exit status, and the next run mends what it left.",
        (f"{_STORIES}/test_fault_matrix.py", f"{_STORIES}/test_hostile.py"),
    ),
    Promise(
        "A commit whose answer is lost is looked up, not guessed.",
        (f"{_STORIES}/test_lost_commit.py",),
    ),
    Promise(
        "Only `purge-inactive` deletes. It archives first, and an archive brings all back.",
        (
            f"{_STORIES}/test_storage.py::test_nothing_in_the_sync_path_deletes",
            f"{_STORIES}/test_taking_back.py",
        ),
    ),
    Promise(
        "No migration loses a row, up or down; an old shop's database is adopted whole.",
        ("tests/database/schema/test_migrating.py", f"{_STORIES}/test_adoption.py"),
    ),
    Promise(
        "A backup is whole, verified, and brings the database back.",
        ("tests/commands/db/test_backups.py", "tests/database/backups/test_backups.py"),
    ),
    Promise(
        "An older inventory never overwrites a newer one, and a wrong clock is blamed itself.",
        (
            f"{_STORIES}/test_access.py::test_older_file_is_refused_with_a_way_out",
            f"{_STORIES}/test_export_ways.py::test_old_export_is_not_adopted",
            f"{_STORIES}/test_clocks.py",
        ),
    ),
    Promise(
        "Only the owner's view counts: another user's token, or none, takes nothing off sale.",
        (f"{_STORIES}/test_access.py",),
    ),
    Promise(
        "The same inventory twice is no change, from whichever source and in whichever form.",
        (f"{_STORIES}/test_sync_hours.py", f"{_STORIES}/test_unchanged_hours.py"),
    ),
    Promise(
        "An edit by another program is found and mended, and damage on the disk is found.",
        (f"{_STORIES}/test_drift.py", f"{_STORIES}/test_damage.py"),
    ),
    Promise(
        "What a run changed can be taken back, and the past can be looked at.",
        (f"{_STORIES}/test_taking_back.py", f"{_STORIES}/test_past.py"),
    ),
    Promise(
        "A dry run writes nothing, and the real run does what it said.",
        (f"{_STORIES}/test_dry_run.py",),
    ),
    Promise(
        "Two runs of a seller never work at once, and no lock outlives its owner.",
        (
            f"{_STORIES}/test_processes.py::test_second_run_names_the_holder_at_once",
            f"{_STORIES}/test_processes.py::test_killed_run_leaves_nothing_to_clean_up",
            f"{_STORIES}/test_locks.py",
            f"{_STORIES}/test_pooler.py",
        ),
    ),
    Promise(
        "Every run ends: all waiting is bounded, and a signal ends a run with its own status.",
        (
            f"{_STORIES}/test_processes.py::test_time_budget_bounds_everything",
            f"{_STORIES}/test_processes.py::test_signal_ends_a_run_that_would_wait_for_ever",
            f"{_STORIES}/test_signals.py",
            f"{_HTTP}/test_transport.py",
        ),
    ),
    Promise(
        "A full disk or a failed write changes nothing, and ends with 16.",
        (f"{_STORIES}/test_failing_disk.py", f"{_STORIES}/test_storage.py"),
    ),
    Promise(
        "The token and passwords are in no output, file, row or traceback.",
        (f"{_STORIES}/test_secrets.py", f"{_STORIES}/test_processes.py::test_token_is_nowhere"),
    ),
    Promise(
        "No file is open to others, and what people read can run no command.",
        (f"{_STORIES}/test_modes.py", f"{_STORIES}/test_harmless.py"),
    ),
    Promise(
        "Exit status, report and database tell the same story.",
        (f"{_STORIES}/test_report.py", "tests/cli/test_exit_statuses.py"),
    ),
    Promise(
        "A cache that is down, slow or lying changes nothing but the speed.",
        ("tests/discogs/cache/test_answer_cache.py",),
    ),
]


@dataclass(slots=True)
class Tally:
    """A plugin of pytest: counts the tests of promises, and writes their table.

    With `--collect-only -n 0` it counts them without running them.
    """

    outcomes: dict[str, str] = field(default_factory=dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which tests there are; several workers do that for themselves."""
        for item in session.items:
            self.outcomes.setdefault(item.nodeid, "not run")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; a failure in any of its phases counts."""
        if report.when == "call" or report.failed:
            worst = "failed" in (self.outcomes.get(report.nodeid), report.outcome)
            self.outcomes[report.nodeid] = "failed" if worst else report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write the table into the page, if any test was run."""
        if not self.outcomes:
            return
        text = PAGE.read_text()
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        PAGE.write_text(before + _BEGIN + "\n".join(self._rows()) + _END + after)

    def _rows(self) -> Iterator[str]:
        for promise in PROMISES:
            ends = [end for test, end in self.outcomes.items() if promise.is_held_by(test)]
            left, passed = ends.count("not run"), ends.count("passed")
            failed = len(ends) - passed - left
            others = f"**{failed} failed**" if failed else f"{left or 'none'} not run"
            result = "all passed" if passed == len(ends) > 0 else others
            yield f"| {promise.words} | {_links(promise)} | {len(ends):,} | {result} |"


def keep_promised(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests that hold a promise."""
    return [item for item in items if any(p.is_held_by(item.nodeid) for p in PROMISES)]


def missing_tests(tests: Iterable[str]) -> list[str]:
    """Return what of these is no test that exists."""
    return [
        test
        for test in tests
        for path, _, function in [test.partition("::")]
        if not (TOP / path).is_file()
        or f"def {function or 'test_'}" not in (TOP / path).read_text()
    ]


def shown_promises() -> list[tuple[str, str, str]]:
    """Return words, tests and count of each row of the page's table."""
    table = PAGE.read_text().partition(_BEGIN)[2].partition(_END)[0]
    return [(row[0], row[1], row[2]) for row in rows(table)]


def promised() -> list[tuple[str, str]]:
    """Return words and tests of each promise, as the page shows them."""
    return [(promise.words, _links(promise)) for promise in PROMISES]


def _links(promise: Promise) -> str:
    names = (test.removeprefix("tests/") for test in promise.tests)
    return "<br>".join(f"`{name.replace('::', ' ')}`" for name in names)
