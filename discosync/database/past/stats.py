"""Load what the figures are made of."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, exists, func, select, true

from discosync.core.moments import moment_of_run
from discosync.core.past.stats import StatRow
from discosync.core.past.value_history import RunFigures
from discosync.database.rows.store import ROW_FAULTS, bad_row
from discosync.database.schema.tables import listing_changes, listings, purged_listings, sync_runs

_CENT = Decimal("0.01")
_COLUMNS = (
    "listing_id",
    "is_active",
    "removal_reason",
    "removed_at",
    "sold_at",
    "price_value",
    "price_currency",
    "primary_format",
    "primary_label",
    "posted",
    "created_at",
)


def load_stat_rows(connection: Connection, seller: str) -> Iterator[StatRow]:
    """Load every listing of a seller, as far as figures need it."""
    columns = (*(listings.c[name] for name in _COLUMNS), _was_offered())
    statement = select(*columns).where(listings.c.seller == seller)
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    # The driver's own cursor: a SQLAlchemy row costs more than the sums it is for.
    cursor = connection.connection.cursor()
    cursor.execute(str(compiled))
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            try:
                figures = _stat_row(row)
            except ROW_FAULTS as exc:
                raise bad_row(row[0], exc) from exc
            yield figures


def _was_offered() -> ColumnElement[bool]:
    """Say whether a listing was ever for sale: what no longer is went by a removal in the history.

    A listing that was there as a draft at the first load, or at the adoption, has none. Of those
    for sale or sold nobody asks, which spares a look into the history for each.
    """
    c, change = listings.c, listing_changes.c
    own = (change.seller == c.seller, change.listing_id == c.listing_id)
    was_removed = exists().where(*own, change.kind == "removed")
    return case((c.is_active | (c.removal_reason == "sold"), true()), else_=was_removed)


def _stat_row(row: Sequence[Any]) -> StatRow:
    _, active, reason, removed, sold, price, currency, form, label, posted, created, offered = row
    listed, seen = _moment(posted), _moment(created)
    if listed is None or (seen is not None and seen < listed):
        listed = seen
    return StatRow(
        is_active=bool(active),
        removal_reason=reason,
        removed_at=_moment(removed),
        sold_at=_moment(sold),
        price=_price(price),
        currency=currency or "",
        primary_format=form,
        primary_label=label,
        listed_at=listed,
        was_offered=bool(offered),
    )


# A shop asks few prices, and much of it is listed and sold at one moment.
@lru_cache(maxsize=50_000)
def _price(value: float | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(_CENT)


@lru_cache(maxsize=50_000)
def _moment(value: str | datetime | None) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return None if value is None else value.replace(tzinfo=UTC)


def load_run_figures(connection: Connection, seller: str) -> Iterator[RunFigures]:
    """Load what each run that changed something left, oldest first."""
    c = sync_runs.c
    value, moves = c.report["inventory_value"], c.report["price_changes"]
    statement = select(c.started_at, c.snapshot_as_of, value, moves).where(c.seller == seller)
    for started_at, as_of, worth, changes in connection.execute(statement.order_by(c.id)):
        if worth is not None or changes is not None:
            yield RunFigures(moment_of_run(started_at, as_of), _plain(worth), _plain(changes))


def _plain(figures: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return figures if isinstance(figures, dict) else {}


def load_purged_count(connection: Connection, seller: str) -> int:
    """Count the listings that were purged, and that no figure holds any more."""
    c = purged_listings.c
    counted = select(func.count()).select_from(purged_listings).where(c.seller == seller)
    return connection.execute(counted).scalar_one()
