"""A run leaves one row, which says how it ended."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from discosync.core.reporting.findings import Findings
from discosync.core.reporting.report import RunReport, RunStatus
from discosync.database.connection.engine import Database
from discosync.database.runs.records import (
    finish_run,
    load_run_count,
    load_run_exists,
    load_run_report,
    record_run,
)
from discosync.errors import ExitStatus, StorageFailed

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
REPORT = RunReport(
    run_id="a",
    command="sync",
    status=RunStatus.INTERRUPTED,
    exit_status=ExitStatus.INTERRUPTED,
    dry_run=False,
    started_at=TEN,
    finished_at=TEN,
    duration_seconds=0.0,
    findings=Findings(seller="velvet", changes=()),
)


def test_end_of_a_run_replaces_what_its_record_said_at_first(filled: Database) -> None:
    """The report is stored without its changes, which the history holds."""
    with filled.session(writes=True) as session:
        key = record_run(session, REPORT, is_sandbox=True)
        ended = replace(REPORT, status=RunStatus.OK, exit_status=ExitStatus.OK)
        finish_run(session, key, ended)
        row = session.execute("SELECT status, exit_code, is_sandbox FROM sync_runs").fetchone()
        report = load_run_report(session, "a")

    assert (row[0], row[1], bool(row[2])) == ("ok", 0, True)
    assert report is not None
    assert report["status"] == "ok"
    assert "changes" not in report


def test_only_syncs_of_the_seller_are_counted(filled: Database) -> None:
    """A purge, and a sync of somebody else, are other runs."""
    with filled.session(writes=True) as session:
        record_run(session, REPORT, is_sandbox=False)
        record_run(session, replace(REPORT, run_id="b", command="restore"), is_sandbox=False)
        other = Findings(seller="other")
        record_run(session, replace(REPORT, run_id="c", findings=other), is_sandbox=False)
        assert load_run_count(session, "velvet") == 1


def test_run_whose_transaction_failed_was_not_committed(filled: Database) -> None:
    """The record and the rows are in one transaction: after a failure neither is there."""

    def fail() -> None:
        with filled.session(writes=True) as session:
            record_run(session, REPORT, is_sandbox=False)
            session.execute("INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(StorageFailed):
        fail()
    with filled.session() as session:
        assert not load_run_exists(session, "a")
        assert load_run_report(session, "a") is None
