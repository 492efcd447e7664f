"""Which records of past runs are found."""

import json
from collections.abc import Callable

import pytest

from discosync.database.connection.engine import Database
from discosync.database.runs.past_runs import (
    RunFilter,
    load_past_runs,
    load_run_reports,
    load_runs_named,
)


@pytest.mark.parametrize(
    ("beginning", "found"),
    [("ab", ["ab-1", "ab-2"]), ("ab-1", ["ab-1"]), ("%", []), ("a_", []), ("x", [])],
)
def test_run_is_named_by_how_its_id_begins(
    filled: Database, insert_run: Callable[..., None], beginning: str, found: list[str]
) -> None:
    """At most two are given: enough to know that the name is not clear. % and _ are letters."""
    for run_id in ("ab-1", "ab-2", "ab-3", "cd-1"):
        insert_run(run_id)

    with filled.session() as session:
        named = load_runs_named(session, beginning)

    assert sorted(run.run_id for run in named)[:2] == found


def test_reports_are_filtered_and_newest_come_first(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """By seller, by command, and not more than asked for."""
    rows = (("sync", "velvet"), ("enrich", "velvet"), ("sync", "other"), ("sync", "velvet"))
    for number, (command, seller) in enumerate(rows):
        report = json.dumps({"number": number})
        insert_run(str(number), command=command, seller=seller, report=report)

    with filled.session() as session:

        def numbers(wanted: RunFilter) -> list[int]:
            return [report["number"] for report in load_run_reports(session, wanted)]

        assert numbers(RunFilter()) == [3, 2, 1, 0]
        assert numbers(RunFilter(seller="velvet", command="sync")) == [3, 0]
        assert numbers(RunFilter(seller="velvet", limit=2)) == [3, 1]
        assert [run.command for run in load_past_runs(session, limit=3)] == [
            "sync",
            "sync",
            "enrich",
        ]
