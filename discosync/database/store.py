"""What the database knows of a seller: known listings, rows, past runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from discosync.core.changes import Lifecycle
from discosync.core.known import (
    IS_ACTIVE,
    IS_INCOMPLETE,
    IS_PURGED,
    KnownListing,
    KnownListings,
)
from discosync.core.listing import CONTENT_FIELDS, FILLED_ONCE_FIELDS, FieldValue
from discosync.core.report import RunReport
from discosync.database.tables import listings, purged_listings, sync_runs
from discosync.errors import StorageFailed

ROWS_PER_QUERY = 500


ROW_FAULTS = (ValueError, TypeError, ArithmeticError, AttributeError)
"""What a value that another program wrote may raise when it is read."""

_ROW_COLUMNS = (*CONTENT_FIELDS, *FILLED_ONCE_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastApplied:
    """What the newest applied snapshot of a seller left behind."""

    as_of: datetime | None = None
    currency: str | None = None
    columns: tuple[str, ...] = ()
    ready_seconds: float | None = None


def resolve_seller(connection: Connection, name: str) -> str:
    """Give the spelling under which a seller is stored: Discogs ignores case in names."""
    for table in (sync_runs, listings):  # an adopted database has no run yet
        statement = select(table.c.seller).where(func.lower(table.c.seller) == name.lower())
        if stored := connection.execute(statement.order_by(table.c.id).limit(1)).scalar():
            return str(stored)
    return name


def load_known(connection: Connection, seller: str) -> KnownListings:
    """Load what decides about most listings: id, content hash, whether active and complete."""
    c = listings.c
    lacks = or_(*(c[name].is_(None) for name in FILLED_ONCE_FIELDS))
    statement = select(c.listing_id, c.content_hash, c.is_active, lacks).where(c.seller == seller)
    compiled = str(
        statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    )
    gone = select(purged_listings.c.listing_id).where(purged_listings.c.seller == seller)
    purged = {int(i) for i in connection.execute(gone).scalars()}
    # The driver's own cursor: a SQLAlchemy row costs more than the look-up it is for.
    cursor = connection.connection.cursor()
    cursor.execute(compiled)
    return KnownListings.of(_known_rows(cursor, purged))


def _known_rows(cursor: Any, purged: set[int]) -> Iterator[tuple[int, int, str | None]]:  # noqa: ANN401 - DBAPI
    while rows := cursor.fetchmany(10_000):
        for text_id, content_hash, is_active, is_lacking in rows:
            listing_id = _parse_id(text_id)
            flags = (IS_ACTIVE if is_active else 0) | (IS_INCOMPLETE if is_lacking else 0)
            yield listing_id, flags, content_hash
            purged.discard(listing_id)  # it came back
    for listing_id in purged:
        yield listing_id, IS_PURGED, None


def _parse_id(text: str) -> int:
    # Not only a number but written as Discogs writes it: rows are found by their text.
    if isinstance(text, str) and text.isascii() and text.isdigit() and str(int(text)) == text:
        return int(text)
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


def load_rows(
    connection: Connection, seller: str, listing_ids: Sequence[int]
) -> Iterator[KnownListing]:
    """Load the rows of some listings, as far as a decision needs them."""
    c = listings.c
    columns = [
        c.listing_id,
        c.content_hash,
        *(c[name] for name in Lifecycle._fields),
        *(c[name] for name in _ROW_COLUMNS),
    ]
    for start in range(0, len(listing_ids), ROWS_PER_QUERY):
        wanted = [str(i) for i in listing_ids[start : start + ROWS_PER_QUERY]]
        statement = select(*columns).where(c.seller == seller, c.listing_id.in_(wanted))
        yield from _known_listings(connection.execute(statement))


def _known_listings(result: Iterable[Any]) -> Iterator[KnownListing]:
    first_value = 2 + len(Lifecycle._fields)
    try:
        for row in result:
            values = dict(zip(_ROW_COLUMNS, row[first_value:], strict=True))
            yield KnownListing(
                listing_id=int(row[0]),
                content_hash=row[1],
                lifecycle=Lifecycle(*row[2:first_value]),
                values={name: typed(name, value) for name, value in values.items()},
            )
    except (ValueError, TypeError, ArithmeticError) as exc:
        raise bad_row("?", f"{type(exc).__name__}: {exc}"[:200]) from exc


def typed(name: str, value: FieldValue | float) -> FieldValue:
    """Bring what a column holds into the type of the field of the same name."""
    if name == "weight" and value is not None:
        return Decimal(str(value))
    if name == "release_id" and isinstance(value, str) and value.isdigit():
        return int(value)
    return Decimal(str(value)) if isinstance(value, float) else value


def load_last_applied(connection: Connection, seller: str) -> LastApplied:
    """Load what the newest applied snapshot of a seller left for the next one."""
    c = sync_runs.c
    own = select(func.max(c.snapshot_as_of)).where(c.seller == seller)
    as_of = connection.execute(own).scalar()
    syncs = select(c.source, c.report).where(c.seller == seller, c.command == "sync")
    newest = syncs.order_by(c.id.desc()).limit(20)
    shown = [(row[0], _snapshot_of(row[1])) for row in connection.execute(newest)]
    exports = [snapshot for source, snapshot in shown if source in {"export", "file"}]
    waits = [s["ready_seconds"] for s in exports if s.get("ready_seconds") is not None]
    currencies = [snapshot["currency"] for _, snapshot in shown if snapshot.get("currency")]
    return LastApplied(
        as_of=as_of,
        currency=currencies[0] if currencies else _stored_currency(connection, seller),
        columns=tuple(exports[0].get("columns", ())) if exports else (),
        ready_seconds=waits[0] if waits else None,
    )


def _snapshot_of(report: object) -> dict[str, Any]:
    snapshot = report.get("snapshot") if isinstance(report, dict) else None
    return snapshot if isinstance(snapshot, dict) else {}


def _stored_currency(connection: Connection, seller: str) -> str | None:
    c = listings.c
    own = select(c.price_currency).where(c.seller == seller, c.price_currency.is_not(None))
    # Sold rows keep the currency they were sold in.
    return connection.execute(own.order_by(c.is_active.desc()).limit(1)).scalar()


def load_has_sandbox(connection: Connection) -> bool:
    """Whether the database holds a seller of the sandbox."""
    statement = select(sync_runs.c.id).where(sync_runs.c.is_sandbox).limit(1)
    return connection.execute(statement).first() is not None


def load_has_real(connection: Connection) -> bool:
    """Whether the database holds a real seller, one that was adopted without a run included."""
    statement = select(sync_runs.c.id).where(~sync_runs.c.is_sandbox).limit(1)
    if connection.execute(statement).first() is not None:
        return True
    made_up = select(sync_runs.c.seller).where(sync_runs.c.is_sandbox)
    others = select(listings.c.id).where(listings.c.seller.not_in(made_up)).limit(1)
    return connection.execute(others).first() is not None


def load_run_count(connection: Connection, seller: str) -> int:
    """Count the recorded syncs of a seller."""
    own = (sync_runs.c.seller == seller, sync_runs.c.command == "sync")
    statement = select(func.count()).where(*own)
    return connection.execute(statement).scalar_one()


def load_run_exists(connection: Connection, run_id: str) -> bool:
    """Whether a run was committed."""
    statement = select(sync_runs.c.id).where(sync_runs.c.run_id == run_id)
    return connection.execute(statement).first() is not None


def record_run(connection: Connection, report: RunReport, *, is_sandbox: bool) -> int:
    """Record a run; return the key that its changes point to."""
    values = {
        "run_id": report.run_id,
        "command": report.command,
        "seller": report.seller,
        "is_sandbox": is_sandbox,
        "started_at": report.started_at,
        **_final_values(report),
    }
    key = connection.execute(insert(sync_runs).values(values)).inserted_primary_key
    if key is None:
        raise StorageFailed("the run's record got no key", hint="nothing was changed")
    return int(key[0])


def finish_run(connection: Connection, key: int, report: RunReport) -> None:
    """Complete a run's record, at the end of its transaction."""
    own = sync_runs.c.id == key
    connection.execute(update(sync_runs).where(own).values(_final_values(report)))


def _final_values(report: RunReport) -> dict[str, Any]:
    snapshot = report.snapshot
    return {
        "status": report.status.value,
        "exit_code": int(report.exit_status),
        "source": report.source,
        "snapshot_as_of": snapshot.as_of if snapshot else None,
        "snapshot_sha256": snapshot.sha256 if snapshot else None,
        "finished_at": report.finished_at,
        # The history holds the changes already.
        "report": replace(report, changes=None).to_json(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One recorded run, in a line."""

    command: str
    started_at: datetime
    exit_code: int
    source: str | None


def load_past_runs(connection: Connection, *, limit: int) -> list[PastRun]:
    """Load the newest runs of all sellers, newest first."""
    columns = [sync_runs.c[name] for name in PastRun.__slots__]
    statement = select(*columns).order_by(sync_runs.c.id.desc()).limit(limit)
    return [PastRun(**row) for row in connection.execute(statement).mappings()]
