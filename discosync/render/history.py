"""One listing's history in words: what it is now, and its changes as rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from discosync.core.inventory.listing import FieldValue
from discosync.core.inventory.money import render_amount
from discosync.core.past.history import PastChange
from discosync.core.past.purge import Purged
from discosync.core.planning.changes import FieldChange
from discosync.core.planning.known import KnownListing
from discosync.render.cells import render_cell


def render_now(
    listing_id: int,
    now: KnownListing | None,
    purged: Purged | None,
    changes: Sequence[PastChange],
) -> str:
    """Say in one line what a listing is now, or which archive a purge put it in."""
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
        # The listing was inactive when discosync first saw it: nobody knows since when.
        word = "since" if any(change.kind == "removed" for change in changes) else "already at"
        since = f" {word} {life.removed_at:%Y-%m-%d %H:%M} UTC"
    state = "for sale" if life.is_active else f"not for sale ({life.removal_reason}){since}"
    return f"{listing_id}: {now.heading} · {price} · {state}"


def life_rows(changes: Sequence[PastChange]) -> Iterator[tuple[str, ...]]:
    """Give the rows of a listing's history, one a field."""
    for change in changes:
        head = (change.kind, f"{change.at:%Y-%m-%d %H:%M:%S}", f"{change.command} {change.run_id}")
        yield from change_rows(head, change.fields)


def change_rows(
    head: tuple[str, str, str], fields: Sequence[FieldChange]
) -> Iterator[tuple[str, ...]]:
    """Give the rows of one change, one a field; its head stands in the first row only."""
    if not fields:
        yield (*head, "", "", "")
    for field in fields:
        yield (*head, field.field, _cell(field.before), _cell(field.after))
        head = ("", "", "")


def _cell(value: FieldValue) -> str:
    # The column says UTC, so the moment itself needs no zone.
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else render_cell(value)
