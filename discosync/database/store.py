"""What the database knows of a seller: known listings, rows, past runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from discosync.core.changes import Lifecycle
from discosync.core.known import KnownListing, KnownListings
from discosync.core.listing import CONTENT_FIELDS, FILLED_ONCE_FIELDS, FieldValue
from discosync.core.report import RunReport
from discosync.database.tables import listings, sync_runs
from discosync.errors import StorageFailed

ROWS_PER_QUERY = 500

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
    statement = (
        select(sync_runs.c.seller)
        .where(func.lower(sync_runs.c.seller) == name.lower())
        .order_by(sync_runs.c.id)
        .limit(1)
    )
    return connection.execute(statement).scalar() or name


def load_known(connection: Connection, seller: str) -> KnownListings:
    """Load what decides about most listings: id, content hash, whether active and complete."""
    c = listings.c
    lacks = c.release_year.is_(None) | c.image_uri.is_(None)
    statement = select(c.listing_id, c.content_hash, c.is_active, lacks).where(c.seller == seller)
    compiled = str(
        statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    )
    # The driver's own cursor: a SQLAlchemy row costs more than the look-up it is for.
    cursor = connection.connection.cursor()
    cursor.execute(compiled)
    hash_by_id: dict[int, str | None] = {}
    inactive: set[int] = set()
    incomplete: set[int] = set()
    for text_id, content_hash, is_active, is_lacking in _fetch(cursor):
        listing_id = _parse_id(text_id)
        hash_by_id[listing_id] = content_hash
        if not is_active:
            inactive.add(listing_id)
        if is_lacking:
            incomplete.add(listing_id)
    return KnownListings(hash_by_id=hash_by_id, inactive=inactive, incomplete=incomplete)


def _fetch(cursor: Any) -> Iterator[tuple[str, str | None, bool, bool]]:  # noqa: ANN401 - DBAPI
    while rows := cursor.fetchmany(10_000):
        yield from rows


def _parse_id(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StorageFailed(
            f"the table listings holds listing_id {text!r}, which is no Discogs id",
            hint="correct or remove that row; nothing was changed",
            code="bad_row",
        ) from None


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
    first_value = 2 + len(Lifecycle._fields)
    for start in range(0, len(listing_ids), ROWS_PER_QUERY):
        wanted = [str(i) for i in listing_ids[start : start + ROWS_PER_QUERY]]
        statement = select(*columns).where(c.seller == seller, c.listing_id.in_(wanted))
        for row in connection.execute(statement):
            values = dict(zip(_ROW_COLUMNS, row[first_value:], strict=True))
            yield KnownListing(
                listing_id=int(row[0]),
                content_hash=row[1],
                lifecycle=Lifecycle(*row[2:first_value]),
                values={name: _typed(name, value) for name, value in values.items()},
            )


def _typed(name: str, value: FieldValue | float) -> FieldValue:
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
    newest = select(c.report).where(c.seller == seller, c.source.in_(("export", "file")))
    reports = connection.execute(newest.order_by(c.id.desc()).limit(20)).scalars().all()
    snapshots = [report["snapshot"] for report in reports]
    waits = [s["ready_seconds"] for s in snapshots if s.get("ready_seconds") is not None]
    return LastApplied(
        as_of=as_of,
        currency=_stored_currency(connection, seller),
        columns=tuple(snapshots[0]["columns"]) if snapshots else (),
        ready_seconds=waits[0] if waits else None,
    )


def _stored_currency(connection: Connection, seller: str) -> str | None:
    c = listings.c
    own = select(c.price_currency).where(c.seller == seller, c.price_currency.is_not(None))
    return connection.execute(own.limit(1)).scalar()


def load_has_sellers(connection: Connection, *, is_sandbox: bool) -> bool:
    """Whether the database holds a real seller, or one of the sandbox."""
    statement = select(sync_runs.c.id).where(sync_runs.c.is_sandbox == is_sandbox).limit(1)
    return connection.execute(statement).first() is not None


def load_run_count(connection: Connection, seller: str) -> int:
    """Count the recorded runs of a seller."""
    statement = select(func.count()).where(sync_runs.c.seller == seller)
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
