"""What the database knows of a seller: known listings, rows, past runs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from discosync.core.inventory.listing import FILLED_ONCE_FIELDS, FieldValue
from discosync.core.planning.changes import Lifecycle
from discosync.core.planning.known import (
    IS_ACTIVE,
    IS_INCOMPLETE,
    IS_PURGED,
    STORED_FIELDS,
    KnownListing,
    KnownListings,
)
from discosync.core.reporting.report import RunReport
from discosync.database.connection.session import Session, read_json, read_moment
from discosync.errors import StorageFailed

ROWS_PER_QUERY = 500
_BOTH = (0, 1)
"""What `is_active` may be. SQLite takes any text, and counts it as false where Python does not."""

_MAX_DIGITS = 18
_ROWS_AT_ONCE = 5_000
_CENT = Decimal("0.01")
_TYPED = ("weight", "release_id", "price_value", "accept_offer")
"""The columns whose values the drivers give in other types than the fields have."""


ROW_FAULTS = (ValueError, TypeError, ArithmeticError, AttributeError)
"""What a value that another program wrote may raise when it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastApplied:
    """What the newest applied snapshot of a seller left behind."""

    as_of: datetime | None = None
    currency: str | None = None
    columns: tuple[str, ...] = ()
    ready_seconds: float | None = None


def resolve_seller(session: Session, name: str) -> str:
    """Give the spelling under which a seller is stored, or else as it was named."""
    return find_seller(session, name) or name


def find_seller(session: Session, name: str) -> str | None:
    """Find the spelling under which a seller is stored: Discogs ignores case in names."""
    for table in ("sync_runs", "listings"):  # an adopted database has no run yet
        stored = session.value(
            f"SELECT seller FROM {table} WHERE lower(seller) = :name ORDER BY id LIMIT 1",  # noqa: S608
            name=name.lower(),
        )
        if stored:
            return str(stored)
    return None


def load_known(session: Session, seller: str) -> KnownListings:
    """Load what decides about most listings: id, content hash, whether active and complete."""
    gone = session.execute(
        "SELECT listing_id FROM purged_listings WHERE seller = :seller", seller=seller
    )
    purged = {int(row[0]) for row in gone}
    lacks = " OR ".join(f"{name} IS NULL" for name in FILLED_ONCE_FIELDS)
    rows = session.execute(
        f"SELECT listing_id, content_hash, is_active, {lacks} "  # noqa: S608 - our own names
        "FROM listings WHERE seller = :seller",
        seller=seller,
    )
    return KnownListings.of(_known_rows(rows, purged))


def _known_rows(cursor: Any, purged: set[int]) -> Iterator[tuple[int, int, str | None]]:  # noqa: ANN401 - DBAPI
    while rows := cursor.fetchmany(10_000):
        for text_id, content_hash, is_active, is_lacking in rows:
            listing_id = _parse_id(text_id)
            if content_hash is not None and not isinstance(content_hash, str):
                raise bad_row(text_id, "its content_hash is no text")
            if is_active not in _BOTH:
                raise bad_row(text_id, f"its is_active is {is_active!r}")
            flags = (IS_ACTIVE if is_active else 0) | (IS_INCOMPLETE if is_lacking else 0)
            yield listing_id, flags, content_hash
            purged.discard(listing_id)  # it came back
    for listing_id in purged:
        yield listing_id, IS_PURGED, None


def _parse_id(text: str) -> int:
    # Not only a number but written as Discogs writes it: rows are found by their text.
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        listing_id = int(text)
        if str(listing_id) == text:
            return listing_id
    raise bad_row(text, "its listing_id is no Discogs id")


def bad_row(listing_id: object, why: object) -> StorageFailed:
    """Say which row it is that another program wrote in a way nobody can read."""
    if isinstance(why, Exception):
        why = f"{type(why).__name__}: {why}"[:200]
    return StorageFailed(
        f"the table listings holds a row that cannot be read, listing_id {listing_id!r}: {why}",
        hint="another program must have written it: correct that row; nothing was changed",
        code="bad_row",
    )


def load_rows(session: Session, seller: str, listing_ids: Sequence[int]) -> Iterator[KnownListing]:
    """Load the rows of some listings, as far as a decision needs them."""
    columns = ", ".join(("listing_id", "content_hash", *Lifecycle._fields, *STORED_FIELDS))
    own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
    for start in range(0, len(listing_ids), _ROWS_AT_ONCE):
        wanted = [str(i) for i in listing_ids[start : start + _ROWS_AT_ONCE]]
        found = session.execute(
            f"SELECT {columns} FROM listings WHERE {own}",  # noqa: S608 - our own names
            seller=seller,
            ids=session.one_of(wanted),
        )
        if rows := found.fetchall():
            yield from _known_listings(rows)


def _known_listings(rows: Sequence[Any]) -> Iterable[KnownListing]:
    try:
        return list(_read_rows(rows))
    except ROW_FAULTS as exc:
        # Columns are quicker, but only a row that is alone can be named.
        if len(rows) == 1:
            raise bad_row(rows[0][0], exc) from exc
    return chain.from_iterable(_known_listings([row]) for row in rows)


def _read_rows(rows: Sequence[Any]) -> Iterable[KnownListing]:
    """Read rows column by column; raises one of `ROW_FAULTS`, which does not say at which row."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    ids, hashes, are_active, removed, reasons, sold, *values = columns
    for name in _TYPED:
        place = STORED_FIELDS.index(name)
        values[place] = [typed(name, value) for value in values[place]]
    lifecycles = map(
        Lifecycle, map(bool, are_active), map(read_moment, removed), reasons, map(read_moment, sold)
    )
    return map(KnownListing, map(int, ids), hashes, lifecycles, zip(*values, strict=True))


def typed(name: str, value: FieldValue | float) -> FieldValue:
    """Bring what a column holds into the type of the field of the same name."""
    if name == "weight" and value is not None:
        return Decimal(str(value))
    if name == "release_id" and isinstance(value, str) and value.isdigit():
        return int(value)
    if name == "price_value" and value is not None:
        return Decimal(str(value)).quantize(_CENT)
    if name == "accept_offer" and value is not None:
        return bool(value)
    return Decimal(str(value)) if isinstance(value, float) else value


def load_last_applied(session: Session, seller: str) -> LastApplied:
    """Load what the newest applied snapshot of a seller left for the next one."""
    as_of = session.value(
        "SELECT max(snapshot_as_of) FROM sync_runs WHERE seller = :seller", seller=seller
    )
    newest = session.execute(
        "SELECT source, report FROM sync_runs WHERE seller = :seller AND command = 'sync' "
        "ORDER BY id DESC LIMIT 20",
        seller=seller,
    )
    shown = [(source, _snapshot_of(read_json(report))) for source, report in newest]
    exports = [snapshot for source, snapshot in shown if source in {"export", "file"}]
    waits = [s["ready_seconds"] for s in exports if s.get("ready_seconds") is not None]
    currencies = [snapshot["currency"] for _, snapshot in shown if snapshot.get("currency")]
    return LastApplied(
        as_of=read_moment(as_of),
        currency=currencies[0] if currencies else _load_currency(session, seller),
        columns=tuple(exports[0].get("columns", ())) if exports else (),
        ready_seconds=waits[0] if waits else None,
    )


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


def load_has_sandbox(session: Session) -> bool:
    """Whether the database holds a seller of the sandbox."""
    return session.value("SELECT id FROM sync_runs WHERE is_sandbox LIMIT 1") is not None


def load_has_real(session: Session) -> bool:
    """Whether the database holds a real seller, one that was adopted without a run included."""
    if session.value("SELECT id FROM sync_runs WHERE NOT is_sandbox LIMIT 1") is not None:
        return True
    return (
        session.value(
            "SELECT id FROM listings WHERE seller NOT IN "
            "(SELECT seller FROM sync_runs WHERE is_sandbox) LIMIT 1"
        )
        is not None
    )


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
    """Complete a run's record, at the end of its transaction."""
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
        # The history holds the changes already.
        "report": json.dumps(report.without_changes().to_json()),
    }
