"""Run reports to render."""

from datetime import UTC, datetime
from typing import Any

from discosync.core.planning.changes import FieldChange
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.findings import Findings
from discosync.core.reporting.report import RunReport, RunStatus
from discosync.errors import ExitStatus

_STARTED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def make_report(**fields: Any) -> RunReport:
    """Make the report of a sync that went well, but for the fields of it or its findings named."""
    usual: dict[str, Any] = {
        "run_id": "3f2c",
        "command": "sync",
        "status": RunStatus.OK,
        "exit_status": ExitStatus.OK,
        "dry_run": False,
        "started_at": _STARTED,
        "finished_at": _STARTED,
        "duration_seconds": 1.25,
    }
    found = {name: fields.pop(name) for name in Findings.__slots__ if name in fields}
    findings = Findings(**{"seller": "velvet-crates", **found})
    return RunReport(**{**usual, **fields}, findings=findings)


def make_change(
    kind: str, *fields: tuple[str, Any, Any], listing_id: int = 7, heading: str = "Plain Tides"
) -> ChangeEntry:
    """Make one change from (field, before, after)."""
    changes = tuple(FieldChange(*field) for field in fields)
    return ChangeEntry(kind=kind, listing_id=listing_id, heading=heading, fields=changes)
