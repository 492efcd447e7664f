"""The past in words: rows for the tables that `history` and `as-of` show."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from discosync.core.diff import render_cell
from discosync.core.history import PastChange
from discosync.core.known import KnownListing
from discosync.core.listing import FieldValue, heading_of
from discosync.core.money import render_amount

PAST_COLUMNS = ("listing", "status", "price", "condition", "record")


def render_now(listing_id: int, now: KnownListing | None, purged: tuple[str, str] | None) -> str:
    """Say in a line what a listing is now; `purged` are the run and the archive of a purge."""
    if now is None:
        run_id, archive = purged or ("?", "?")
        return (
            f"{listing_id}: purged in run {run_id}; its row and history are in {archive}\n"
            f"to bring it back: discosync restore --from-archive {archive}"
        )
    price = render_amount(now.value("price_value"), now.value("price_currency"))
    life = now.lifecycle
    since = f" since {life.removed_at:%Y-%m-%d %H:%M} UTC" if life.removed_at else ""
    state = "for sale" if life.is_active else f"not for sale ({life.removal_reason}){since}"
    return f"{listing_id}: {now.heading} · {price} · {state}"


def life_rows(changes: Sequence[PastChange]) -> Iterator[tuple[str, ...]]:
    """Give a line a field; what belongs to one change stands in its first line only."""
    for change in changes:
        head = (change.kind, f"{change.at:%Y-%m-%d %H:%M:%S}", f"{change.command} {change.run_id}")
        if not change.fields:
            yield (*head, "", "", "")
        for number, field in enumerate(change.fields):
            shown = head if number == 0 else ("", "", "")
            yield (*shown, field.field, _cell(field.before), _cell(field.after))


def _cell(value: FieldValue) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else render_cell(value)


def past_row(listing: Mapping[str, Any]) -> tuple[str, ...]:
    """Give a listing's line."""
    price = listing["price_value"]
    return (
        str(listing["listing_id"]),
        render_cell(listing["status"]),
        render_amount(Decimal(price) if price else None, listing["price_currency"]),
        render_cell(listing["condition"]),
        render_cell(heading_of(listing["artist_names"], listing["release_title"])),
    )
