"""Load what the figures of `stats` are made of."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from discosync.core.moments import moment_of_run
from discosync.core.past.stats import StatRow
from discosync.core.past.value_history import RunFigures
from discosync.database.connection.session import Session
from discosync.database.connection.values import ROW_FAULTS, read_json, read_moment
from discosync.database.rows.known import bad_row

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


# What is neither for sale nor sold was offered once if the history shows its removal: a draft of
# the first load, or of the adoption, has none. For the rest the history need not be read.
_WAS_OFFERED = """
CASE WHEN is_active OR removal_reason = 'sold' THEN true ELSE EXISTS (
  SELECT 1 FROM listing_changes c
  WHERE c.seller = l.seller AND c.listing_id = l.listing_id AND c.kind = 'removed'
) END
"""


def load_stat_rows(session: Session, seller: str) -> Iterator[StatRow]:
    """Load every listing of a seller, as far as figures need it."""
    cursor = session.execute(
        f"SELECT {', '.join(_COLUMNS)}, {_WAS_OFFERED} FROM listings l "  # noqa: S608 - our own names
        "WHERE seller = :seller",
        seller=seller,
    )
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            try:
                figures = _stat_row(row)
            except ROW_FAULTS as exc:
                raise bad_row(row[0], exc) from exc
            yield figures


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


# A shop has few different prices, and many listings share a moment: the cache is worth it.
@lru_cache(maxsize=50_000)
def _price(value: float | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(_CENT)


@lru_cache(maxsize=50_000)
def _moment(value: str | datetime | None) -> datetime | None:
    return read_moment(value)


def load_run_figures(session: Session, seller: str) -> Iterator[RunFigures]:
    """Load what each run that changed something left, oldest first."""
    worth, moves = "report -> 'inventory_value'", "report -> 'price_changes'"
    if session.is_sqlite:  # before 3.38 it has no arrow
        worth = "json_quote(json_extract(report, '$.inventory_value'))"
        moves = "json_quote(json_extract(report, '$.price_changes'))"
    runs = session.execute(
        f"SELECT started_at, snapshot_as_of, {worth}, {moves} FROM sync_runs "  # noqa: S608
        "WHERE seller = :seller ORDER BY id",
        seller=seller,
    )
    for started_at, as_of, *stored in runs:
        started, figures = read_moment(started_at), [read_json(each) for each in stored]
        if started is not None and any(each is not None for each in figures):
            yield RunFigures(moment_of_run(started, read_moment(as_of)), *map(_plain, figures))


def _plain(figures: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return figures if isinstance(figures, dict) else {}


def load_purged_count(session: Session, seller: str) -> int:
    """Count the listings that were purged: they are in no figure any more."""
    counted = "SELECT count(*) FROM purged_listings WHERE seller = :seller"
    return int(session.value(counted, seller=seller))
