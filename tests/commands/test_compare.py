"""`compare`: both methods against one shop, in agreement, in motion and in contradiction."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.shop import make_listing, make_shop, with_changed

WRITTEN = ("listings", "listing_changes")


def _inventory(program: Program) -> list[dict[str, object]]:
    return [row for t in WRITTEN for row in program.query(f"SELECT * FROM {t} ORDER BY id")]


@pytest.fixture
def shop(program: Program, sandbox: SandboxServer) -> Program:
    """A mirrored shop of three pages."""
    sandbox.state.inventory = make_shop(250)
    program("sync")
    return program


def test_agreement_is_0_and_recorded(shop: Program) -> None:
    """Two methods that agree: 0, calls and time of each side, and not one row of it written."""
    before = _inventory(shop)

    result = shop("compare", "--json")

    report = result.report
    comparison = report["comparison"]
    assert result.exit_code == 0
    assert (comparison["compared"], comparison["differences"]) == (250, [])
    assert (comparison["export"]["requests"], comparison["pages"]["requests"]) == (5, 4)
    assert report["api"]["requests"] == 9
    assert comparison["export"]["as_of"] <= comparison["pages"]["as_of"]
    assert comparison["pages"]["would"]["unchanged"] == 250
    assert _inventory(shop) == before
    (row,) = shop.query("SELECT exit_code, snapshot_as_of FROM sync_runs WHERE command='compare'")
    assert row == {"exit_code": 0, "snapshot_as_of": None}
    schema = json.loads((files("discosync") / "report.schema.json").read_text())
    jsonschema.validate(report, schema)


def test_contradiction_is_19(shop: Program, sandbox: SandboxServer) -> None:
    """Exports that go on showing another price, and lack a listing, are a mismatch."""
    sandbox.state.exported = with_changed(make_shop(250), 3, comments="another story")[:-1]

    result = shop("compare", "--json")

    comparison = result.report["comparison"]
    assert result.exit_code == 19
    assert result.report["error"]["code"] == "mismatch"
    assert [(d["kind"], d["explained_by"]) for d in comparison["differences"]] == [
        ("differs", None),
        ("only_pages", None),
    ]
    assert comparison["differences"][0]["fields"] == {
        "comments": ["another story", "No. 3, it&#39;s fine"]
    }
    assert "nothing explains it" in result.stderr
    # What nothing explains is no snapshot to count from.
    assert shop("sync", "--json").counts["unchanged"] == 250


def test_shop_that_sells_meanwhile_is_explained_by_time(
    shop: Program, sandbox: SandboxServer
) -> None:
    """What changed after the first export is as the second one shows it: no mismatch."""
    shop_before = sandbox.state.inventory
    moved = [
        replace(x, status="Sold") if n == 7 else replace(x, comments="newer") if n == 9 else x
        for n, x in enumerate(shop_before)
    ]

    def sell() -> None:
        sandbox.state.inventory = [*moved, make_listing(900)]

    sandbox.state.after = {"/download": sell}
    result = shop("compare", "--json")

    comparison = result.report["comparison"]
    assert result.exit_code == 0
    assert (comparison["explained"], comparison["unexplained"]) == (3, 0)
    assert comparison["second_export_as_of"] is not None
    assert all(d["explained_by"].startswith("time: ") for d in comparison["differences"])


def test_three_forms(shop: Program, sandbox: SandboxServer) -> None:
    """The same comparison as a table, as JSON and as Markdown."""
    sandbox.state.exported = with_changed(make_shop(250), 3, condition="Mint (M)")
    table = shop("compare")
    markdown = shop("compare", "--diff", "markdown")
    as_json = shop("compare", "--diff", "json")

    assert [r.exit_code for r in (table, markdown, as_json)] == [19] * 3
    assert "condition: export Mint (M), pages Very Good Plus (VG+)" in table.stdout
    assert "250 listings compared: 1 differ" in table.stdout
    assert "| API calls | 5 | 4 |" in markdown.stdout
    assert as_json.report["comparison"]["unexplained"] == 1


def test_runs_are_evidence_for_a_rollout(shop: Program, sandbox: SandboxServer) -> None:
    """`--runs N` records N comparisons, and `flags set` shows them before it asks."""
    result = shop("compare", "--runs", "2", "--json")
    sandbox.state.exported = with_changed(make_shop(250), 3, comments="another story")
    shop("compare")

    said = shop("flags", "set", "use-csv-export", "50%")

    assert result.exit_code == 0
    assert [run["exit_code"] for run in result.report["runs"]] == [0, 0]
    assert "3 comparisons since " in said.stderr
    assert "2 agree, 1 differ" in said.stderr
    assert said.stderr.rstrip().splitlines()[0].endswith("differs")


def test_without_a_database_nothing_is_recorded(program: Program) -> None:
    """A comparison before the first sync compares, and says that it leaves no record."""
    result = program("compare", "--json")
    assert result.exit_code == 0
    assert [p["code"] for p in result.report["problems"]] == ["not_recorded"]
    assert program("db", "current", "--json").report["state"] == "empty"


def test_comparison_that_cannot_be_made(shop: Program, sandbox: SandboxServer) -> None:
    """Without an export there is nothing to compare: 15, and no evidence."""
    fault = Fault(path="/inventory/export", method="POST", times=9, status=409, has_effect=False)
    sandbox.state.faults = [fault]
    assert shop("compare").exit_code == 15
    assert shop.query("SELECT * FROM sync_runs WHERE command = 'compare'") == []
