"""The past in words: rows for the tables that `history` and `as-of` show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from discosync.core.inventory.listing import FieldValue, heading_of
from discosync.core.inventory.money import render_amount
from discosync.core.past.history import PastChange
from discosync.core.past.purge import Purged
from discosync.core.planning.known import KnownListing
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.render.diff import render_cell

ENTRY_COLUMNS = ("change", "listing", "record", "field", "before", "after")
PAST_COLUMNS = ("listing", "status", "price", "condition", "record")


def render_now(
    listing_id: int,
    now: KnownListing | None,
    purged: Purged | None,
    changes: Sequence[PastChange],
) -> str:
    """Say in a line what a listing is now, or where it is since a purge."""
    if now is None and purged is not None:
        return (
            f"{listing_id}: purged in run {purged.run_id}; its row and history are in "
            f"{purged.archive}\nto bring it back: {purged.way_back}"
        )
    if now is None:
        return f"{listing_id}: no longer in the database; another program must have deleted it"
    price = render_amount(now.value("price_value"), now.value("price_currency"))
    life = now.lifecycle
    since = ""
    if life.removed_at is not None:
        # Of what was gone before discosync first saw it, nobody knows since when.
        word = "since" if any(change.kind == "removed" for change in changes) else "already at"
        since = f" {word} {life.removed_at:%Y-%m-%d %H:%M} UTC"
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


def entry_rows(changes: Iterable[ChangeEntry]) -> Iterator[tuple[str, ...]]:
    """Give a run's changes, a line a field; what belongs to one stands in its first line only."""
    for change in changes:
        head = (change.kind, str(change.listing_id), render_cell(change.heading))
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
