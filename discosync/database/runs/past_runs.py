"""Read the records of past runs, for `status`, `runs`, `restore` and `flags`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from discosync.core.reporting.run_line import RunLine, parse_run_line
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_json, read_moment

_MIRRORED = "command = 'sync' AND exit_code IN (0, 3)"
"""The runs that mirrored the inventory: without a problem, or with warnings."""


def load_last_success(session: Session, seller: str) -> RunLine | None:
    """Load the newest sync that mirrored the inventory."""
    newest = session.execute(
        "SELECT report, started_at, finished_at, snapshot_as_of FROM sync_runs "  # noqa: S608
        f"WHERE seller = :seller AND {_MIRRORED} ORDER BY id DESC LIMIT 1",
        seller=seller,
    ).fetchone()
    if newest is None:
        return None
    report, started_at, finished_at, as_of = newest
    line = parse_run_line(read_json(report))
    started, finished = read_moment(started_at), read_moment(finished_at)
    return replace(
        line,
        started_at=started or line.started_at,
        finished_at=finished or line.finished_at,
        snapshot_as_of=read_moment(as_of),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which past runs are asked for; None means all."""

    seller: str | None = None
    command: str | None = None
    limit: int = 20


def load_run_reports(session: Session, wanted: RunFilter) -> list[dict[str, Any]]:
    """Load the reports of the newest runs that reached the database, newest first."""
    asked = {"seller": wanted.seller, "command": wanted.command}
    values = {name: value for name, value in asked.items() if value is not None}
    own = " AND ".join(["true", *(f"{name} = :{name}" for name in values)])
    newest = session.execute(
        f"SELECT report FROM sync_runs WHERE {own} ORDER BY id DESC LIMIT :limit",  # noqa: S608
        limit=wanted.limit,
        **values,
    )
    return [read_json(report) for (report,) in newest]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run that reached the database: its key there, and its report."""

    key: int
    run_id: str
    command: str
    seller: str | None
    report: Mapping[str, Any]


def load_runs_named(session: Session, run_id: str) -> list[RecordedRun]:
    """Load the run whose id begins with `run_id`; two when there are several."""
    plain = re.sub(r"([%_/])", r"/\1", run_id)  # what LIKE would take for any letters
    rows = session.execute(
        "SELECT id, run_id, command, seller, report FROM sync_runs "
        "WHERE run_id LIKE :beginning ESCAPE '/' LIMIT 2",
        beginning=f"{plain}%",
    )
    return [
        RecordedRun(key=key, run_id=whole, command=command, seller=seller, report=read_json(report))
        for key, whole, command, seller, report in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One recorded run, in a line."""

    command: str
    started_at: datetime
    exit_code: int
    source: str | None


def load_past_runs(session: Session, *, limit: int) -> list[PastRun]:
    """Load the newest runs of all sellers, newest first."""
    rows = session.execute(
        "SELECT command, started_at, exit_code, source FROM sync_runs ORDER BY id DESC "
        "LIMIT :limit",
        limit=limit,
    )
    return [
        PastRun(command=command, started_at=moment, exit_code=exit_code, source=source)
        for command, started_at, exit_code, source in rows
        if (moment := read_moment(started_at)) is not None
    ]
