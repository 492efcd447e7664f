"""Load a slice of a seller's rows for the slow check, and write what it corrects."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.planning.changes import Corrected, Lifecycle
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from discosync.database.connection.bulk import Assignments, BulkWriter, Row
from discosync.database.connection.session import Session
from discosync.database.connection.values import ROW_FAULTS, read_field
from discosync.database.rows.known import ROW_COLUMNS, read_rows
from discosync.database.rows.listing_rows import PRIMARY_COLUMNS, primary_values

_FIRST_VALUE = len(ROW_COLUMNS) - len(STORED_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSlice:
    """Rows in the order of their listing ids as texts; `last` is the id of the last one.

    `unreadable` are listings whose moments are none, so that nothing can be said of their rows.
    `total` counts all rows of the seller, where the slice is the first one.
    """

    rows: Sequence[KnownListing] = ()
    unreadable: Sequence[int] = ()
    last: str = ""
    total: int = 0

    def __len__(self) -> int:
        return len(self.rows) + len(self.unreadable)


def load_slice(session: Session, seller: str, *, after: str, limit: int) -> RowSlice:
    """Load the next rows behind a listing; a value that cannot be read is None."""
    count = "0" if after else "(SELECT count(*) FROM listings WHERE seller = :seller)"
    counted = session.execute(
        f"SELECT {count}, {', '.join(ROW_COLUMNS)} FROM listings "  # noqa: S608 - our own names
        "WHERE seller = :seller AND listing_id > :after ORDER BY listing_id LIMIT :limit",
        seller=seller,
        after=after,
        limit=limit,
    ).fetchall()
    if not counted:
        return RowSlice()
    rows, last, total = [row[1:] for row in counted], str(counted[-1][1]), int(counted[0][0])
    try:
        return RowSlice(rows=list(read_rows(rows)), last=last, total=total)
    except ROW_FAULTS:  # by columns it is quicker, but one value spoils all of them
        read = {int(row[0]): _read_odd(row) for row in rows}
    return RowSlice(
        rows=[known for known in read.values() if known is not None],
        unreadable=[listing_id for listing_id, known in read.items() if known is None],
        last=last,
        total=total,
    )


def _read_odd(row: Row) -> KnownListing | None:
    head, values = row[:_FIRST_VALUE], row[_FIRST_VALUE:]
    fields = zip(STORED_FIELDS, values, strict=True)
    readable = [value if _is_readable(name, value) else None for name, value in fields]
    try:
        (known,) = read_rows([(*head, *readable)])
    except ROW_FAULTS:
        return None
    return known


def _is_readable(name: str, value: Any) -> bool:  # noqa: ANN401 - whatever a column holds
    try:
        read_field(name, value)
    except ROW_FAULTS:
        return False
    return True


def write_corrected(
    writer: BulkWriter, corrected: Iterable[Corrected], *, seller: str, now: datetime
) -> int:
    """Write the true values of rows that another program edited; return how many were written."""
    assignments = Assignments(
        set_columns=(*CONTENT_FIELDS, *Lifecycle._fields, "updated_at"),
        kept_columns=tuple(PRIMARY_COLUMNS),
        keys=("seller", "listing_id"),
        nullable_keys=("content_hash",),
    )
    rows = list(_rows(writer, corrected, seller, now))
    return writer.update("listings", assignments, rows) if rows else 0


def _rows(
    writer: BulkWriter, corrected: Iterable[Corrected], seller: str, now: datetime
) -> Iterator[Row]:
    for change in corrected:
        content = dict(zip(CONTENT_FIELDS, change.content, strict=True))
        written = {
            **content,
            "price_value": writer.number(content["price_value"]),  # type: ignore[arg-type]
            "weight": writer.number(content["weight"]),  # type: ignore[arg-type]
            "release_id": None if content["release_id"] is None else str(content["release_id"]),
        }
        life = change.lifecycle
        touched = {field.field for field in change.fields}
        primary = zip(PRIMARY_COLUMNS.values(), primary_values(content), strict=True)
        yield (
            *written.values(),
            int(life.is_active),
            writer.moment(life.removed_at),
            life.removal_reason,
            writer.moment(life.sold_at),
            writer.moment(now),
            # A shop may fill these by a rule of its own: they move only with what they come from.
            *(value if of in touched else None for (of, _), value in primary),
            *(seller, str(change.listing_id), change.expected_hash),
        )
