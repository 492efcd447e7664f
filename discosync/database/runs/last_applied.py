"""What the records say of a seller's newest snapshots: moment, currency, columns, waiting time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from discosync.core.planning.drift import Round
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_json, read_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LastApplied:
    """What the newest applied snapshots of a seller showed; None and empty where nobody knows.

    `columns` are those of the newest export, `ready_seconds` is how long Discogs took to make it.
    `synced_at` is when the newest sync of any seller began, `slow_check` where the next slow check
    goes on. `source` and `problems` are those of this seller's newest sync: the codes of what it
    warned of or noted.
    """

    as_of: datetime | None = None
    currency: str | None = None
    columns: tuple[str, ...] = ()
    ready_seconds: float | None = None
    synced_at: datetime | None = None
    slow_check: Round = field(default_factory=Round)
    source: str | None = None
    problems: frozenset[str] = frozenset()


def load_last_applied(session: Session, seller: str) -> LastApplied:
    """Load what the newest applied snapshot of a seller left for the next one."""
    as_of, synced_at = session.execute(
        "SELECT max(snapshot_as_of), (SELECT started_at FROM sync_runs WHERE command = 'sync' "
        "ORDER BY id DESC LIMIT 1) FROM sync_runs WHERE seller = :seller",
        seller=seller,
    ).fetchone()
    newest = session.execute(
        "SELECT source, report FROM sync_runs WHERE seller = :seller AND command = 'sync' "
        "ORDER BY id DESC LIMIT 20",
        seller=seller,
    )
    found = [(source, read_json(report)) for source, report in newest]
    shown = [(source, _snapshot_of(report)) for source, report in found]
    rounds = (Round.of_report(report) for _, report in found)
    exports = [snapshot for source, snapshot in shown if source in {"export", "file"}]
    waits = [s["ready_seconds"] for s in exports if s.get("ready_seconds") is not None]
    currencies = [snapshot["currency"] for _, snapshot in shown if snapshot.get("currency")]
    return LastApplied(
        as_of=read_moment(as_of),
        currency=currencies[0] if currencies else _load_currency(session, seller),
        columns=tuple(exports[0].get("columns", ())) if exports else (),
        ready_seconds=waits[0] if waits else None,
        synced_at=read_moment(synced_at),
        slow_check=next((each for each in rounds if each is not None), Round()),
        source=found[0][0] if found else None,
        problems=_problems_of(found[0][1]) if found else frozenset(),
    )


def _problems_of(report: object) -> frozenset[str]:
    problems = report.get("problems") if isinstance(report, dict) else None
    return frozenset(p["code"] for p in problems or () if isinstance(p, dict) and "code" in p)


def _snapshot_of(report: object) -> dict[str, Any]:
    snapshot = report.get("snapshot") if isinstance(report, dict) else None
    return snapshot if isinstance(snapshot, dict) else {}


def _load_currency(session: Session, seller: str) -> str | None:
    # Sold rows keep the currency they were sold in.
    code = session.value(
        "SELECT price_currency FROM listings WHERE seller = :seller "
        "AND price_currency IS NOT NULL ORDER BY is_active DESC LIMIT 1",
        seller=seller,
    )
    return None if code is None else str(code)
