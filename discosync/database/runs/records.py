"""Write the record of a run into `sync_runs`, and find out whether one was committed."""

import json
from typing import Any

from discosync.core.reporting.report import RunReport
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_json
from discosync.render.scrubbing import hide_json


def record_run(session: Session, report: RunReport, *, is_sandbox: bool) -> int:
    """Record a run; return the key that its changes point to."""
    return session.insert(
        "sync_runs",
        run_id=report.run_id,
        command=report.command,
        seller=report.findings.seller,
        is_sandbox=is_sandbox,
        started_at=session.moment(report.started_at),
        **_final_values(session, report),
    )


def finish_run(session: Session, key: int, report: RunReport) -> None:
    """Complete a run's record at the end of its transaction, when its outcome is known."""
    session.execute(
        "UPDATE sync_runs SET status = :status, exit_code = :exit_code, source = :source, "
        "snapshot_as_of = :snapshot_as_of, snapshot_sha256 = :snapshot_sha256, "
        "finished_at = :finished_at, report = :report WHERE id = :key",
        key=key,
        **_final_values(session, report),
    )


def _final_values(session: Session, report: RunReport) -> dict[str, Any]:
    snapshot = report.findings.snapshot
    return {
        "status": report.status.value,
        "exit_code": int(report.exit_status),
        "source": report.findings.source,
        "snapshot_as_of": session.moment(snapshot.as_of) if snapshot else None,
        "snapshot_sha256": snapshot.sha256 if snapshot else None,
        "finished_at": session.moment(report.finished_at),
        # Without the changes: the history holds them already.
        "report": hide_json(json.dumps(report.without_changes().to_json())),
    }


def load_run_count(session: Session, seller: str) -> int:
    """Count the recorded syncs of a seller."""
    return int(
        session.value(
            "SELECT count(*) FROM sync_runs WHERE seller = :seller AND command = 'sync'",
            seller=seller,
        )
    )


def load_run_exists(session: Session, run_id: str) -> bool:
    """Whether a run was committed."""
    statement = "SELECT id FROM sync_runs WHERE run_id = :run_id"
    return session.value(statement, run_id=run_id) is not None


def load_run_report(session: Session, run_id: str) -> dict[str, Any] | None:
    """Load the report of a run that was committed."""
    found = session.value("SELECT report FROM sync_runs WHERE run_id = :run_id", run_id=run_id)
    report = read_json(found)
    return report if isinstance(report, dict) else None
