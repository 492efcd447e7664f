"""The dry run: says exactly what the real run does, and leaves no trace."""

import hashlib
import json
from pathlib import Path

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.program import Program
from tests.support.shop import make_listing, make_shop, with_changed


def _hour(sandbox: SandboxServer) -> None:
    """Let something of every kind happen."""
    shop = with_changed(make_shop(21), 3, status="Sold")
    shop = with_changed(shop, 4, comments="a | pipe, <b>markup</b> @somebody\nand more")
    sandbox.state.inventory = [x for i, x in enumerate(shop) if i not in {7, 8}]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_dry_run_leaves_the_file_byte_for_byte(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Not a byte of the database changes in a dry run."""
    sqlite_program("sync", "--source", "export")
    _hour(sandbox)
    before = _sha256(sqlite_program.database_file)

    result = sqlite_program("sync", "--source", "export", "--dry-run")

    assert result.exit_code == 0
    assert "nothing was written" in result.stdout
    assert _sha256(sqlite_program.database_file) == before


def test_dry_run_makes_no_database(sqlite_program: Program) -> None:
    """A dry run over nothing plans a first load and makes no file."""
    result = sqlite_program("sync", "--dry-run", "--json")

    assert result.counts == {"seen": 20, "added": 20, "active": 20}
    assert not sqlite_program.database_file.exists()


@pytest.mark.parametrize("source", ["export", "pages"])
def test_real_run_does_what_the_dry_run_said(
    program: Program, sandbox: SandboxServer, source: str
) -> None:
    """Counts and every single change agree; moments apart, which are those of each run."""
    program("sync", "--source", source)
    _hour(sandbox)

    dry = program("sync", "--source", source, "--dry-run", "--json").report
    real = program("sync", "--source", source, "--json", "--changes").report

    def without_moments(changes: list[dict[str, dict[str, object]]]) -> list[object]:
        for change in changes:
            for moment in ("removed_at", "sold_at"):
                change["fields"].pop(moment, None)
        return list(changes)

    assert dry["dry_run"]
    assert dry["listings"] == real["listings"]
    assert without_moments(dry["changes"]) == without_moments(real["changes"])
    told = [(c["kind"], str(c["listing_id"])) for c in real["changes"]]
    rows = program.query(
        "SELECT kind, listing_id FROM listing_changes WHERE sync_run_id = "
        "(SELECT max(id) FROM sync_runs) ORDER BY id"
    )
    assert told == [(row["kind"], row["listing_id"]) for row in rows]
    assert {kind for kind, _ in told} == {"added", "updated", "removed"}


def test_exit_code_tells_changes(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """With --exit-code a dry run ends with 4 when there are changes, and 0 when there are none."""
    sqlite_program("sync")
    same = sqlite_program("sync", "--dry-run", "--exit-code")
    sandbox.state.inventory = make_shop(21)
    changed = sqlite_program("sync", "--dry-run", "--exit-code")

    assert (same.exit_code, changed.exit_code) == (0, 4)


def test_exit_code_needs_a_dry_run(sqlite_program: Program) -> None:
    """--exit-code alone is a usage error: a run that wrote has no such status."""
    assert sqlite_program("sync", "--exit-code").exit_code == 2


def test_diff_as_markdown_is_safe_to_paste(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A seller's words stay words in a pull request comment: no markup, no mention, one line."""
    sqlite_program("sync", "--source", "export")
    _hour(sandbox)

    text = sqlite_program("sync", "--source", "export", "--dry-run", "--diff", "markdown").stdout

    assert text.startswith("### discosync: velvet-crates\n")
    assert "1 added, 1 updated, 3 removed" in text
    row = next(line for line in text.splitlines() if "| updated |" in line)
    assert r"a \| pipe" in row
    assert "<b>" not in row
    assert "@somebody" not in row
    assert row.count(" | ") == 3


def test_diff_as_table_and_json(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """The table has a line a change off a terminal; the JSON is the report."""
    sqlite_program("sync", "--source", "export")
    _hour(sandbox)

    table = sqlite_program("sync", "--source", "export", "--dry-run", "--diff", "table").stdout
    shown = sqlite_program("sync", "--source", "export", "--dry-run", "--diff", "json").stdout

    lines = [line.split("\t") for line in table.splitlines()]
    assert [line[0] for line in lines[:5]] == ["added", "updated", "removed", "removed", "removed"]
    assert [line[3] for line in lines[2:5]] == ["sold", "missing", "missing"]
    assert len(json.loads(shown)["changes"]) == 5


def test_dry_run_checks_the_limits(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A dry run is refused where the real one would be, and still shows its plan."""
    sandbox.state.inventory = make_shop(40)
    sqlite_program("sync")
    sandbox.state.inventory = [make_listing(0)]

    result = sqlite_program("sync", "--dry-run", "--json")

    assert result.exit_code == 13
    assert result.counts["removed"] == 39
    assert result.report["error"]["code"] == "too_many_removals"
