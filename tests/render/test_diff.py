"""The changes of a run as rows and as Markdown."""

from decimal import Decimal
from typing import Any

import pytest

from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.report import RunStatus
from discosync.errors import BadData, ExitStatus, LimitRefused
from discosync.render.cells import MAX_SHOWN
from discosync.render.diff import diff_rows, left_out, render_markdown
from tests.support.reports import make_change, make_report

GONE = (("is_active", True, False), ("status", "For Sale", "Sold"), ("sold_at", None, "2026"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            make_change("updated", ("price_value", Decimal(12), Decimal(10)), ("status", "a", "b")),
            "price_value 12 → 10; status a → b",
        ),
        (make_change("removed", *GONE, ("removal_reason", None, "sold")), "sold"),
        (make_change("removed", *GONE), ""),
        (make_change("reactivated", ("removal_reason", "missing", None)), "was missing"),
        (
            make_change("reactivated", ("removal_reason", "sold", None), ("comments", "", "new")),
            "was sold; comments – → new",
        ),
        (
            make_change(
                "added",
                ("status", None, "For Sale"),
                ("price_value", None, Decimal("9.5")),
                ("price_currency", None, "EUR"),
                ("condition", None, "Mint (M)"),
            ),
            "For Sale · 9.50 EUR · Mint (M)",
        ),
    ],
)
def test_row_says_what_the_kind_does_not(change: ChangeEntry, what: str) -> None:
    """A removal gives its reason and not the fields that every removal changes."""
    assert [row.what for row in diff_rows([change])] == [what]


def test_long_diff_is_cut_and_says_so() -> None:
    """Two hundred rows are shown; the rest is counted, with the option that shows all."""
    changes = [make_change("updated")] * (MAX_SHOWN + 3)
    assert len(list(diff_rows(changes))) == MAX_SHOWN
    assert left_out(changes) == "… and 3 more; `--diff json` shows all"
    assert left_out(changes[:MAX_SHOWN]) == ""


@pytest.mark.parametrize(
    ("error", "changes", "said"),
    [
        (LimitRefused("remove 9 of 10"), (), "**Refused:** remove 9 of 10"),
        (BadData("cut short"), None, "**Failed, nothing was compared:** cut short"),
        (BadData("cut short"), (), "**Failed, nothing was written:** cut short"),
    ],
)
def test_markdown_says_how_a_run_failed(error: Any, changes: Any, said: str) -> None:
    """A refusal, a failure before the comparison and one after it read differently."""
    report = make_report(
        error=error, exit_status=error.exit_status, status=RunStatus.FAILED, changes=changes
    )
    written = render_markdown(report)
    assert said in written
    assert ("0 added" in written) is (changes is not None)


def test_markdown_shows_each_change_in_a_row() -> None:
    """A seller's words cannot end a cell of the table."""
    report = make_report(
        changes=(make_change("updated", heading="A | B"),), exit_status=ExitStatus.OK
    )
    assert r"| updated | 7 | A \| B |  |" in render_markdown(report)
