"""Whether a seller's rows are as they were.

A fingerprint is of what a plan reads of all rows: their ids and content hashes, whether they are
active and complete; and of the purges. A value that another program edits without touching the
content hash is not in it, as little as reading all of that would show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from discosync.core.listing import FILLED_ONCE_FIELDS
from discosync.database.tables import listings

_ROWS_PER_DIGEST = 50_000

_IS_INCOMPLETE = " OR ".join(f"{name} IS NULL" for name in FILLED_ONCE_FIELDS)
_STATE = f"listing_id || coalesce(content_hash, '') || {{is_active}} || ({_IS_INCOMPLETE})"


class RowSum(NamedTuple):
    """Some rows on Postgres: how many, and their hashes added up, which needs no order."""

    rows: int
    total: int


NO_ROWS = RowSum(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRows:
    """The rows that a plan saw.

    `fingerprint` is of all of them (`""` for none), `replaced` of those that it rewrites;
    `written` are the listings that it adds or rewrites.
    """

    fingerprint: str
    written: Sequence[int] = ()
    replaced: RowSum = NO_ROWS


def load_fingerprint(connection: Connection, seller: str) -> str:
    """Digest the state of a seller's rows, and of what was purged; `""` for none of either."""
    any_row = select(listings.c.id).where(listings.c.seller == seller).limit(1)
    is_empty = connection.execute(any_row).first() is None
    count, last = connection.execute(
        text("SELECT count(*), coalesce(max(id), 0) FROM purged_listings WHERE seller = :seller"),
        {"seller": seller},
    ).one()
    if is_empty and not count:
        return ""
    if connection.dialect.name == "sqlite":
        return f"{_digest_sqlite(connection, seller)}:{count}:{last}"
    return _render(_load_sum(connection, seller), f"{count}:{last}")


def load_replaced(connection: Connection | None, seller: str, listing_ids: Sequence[int]) -> RowSum:
    """Add up the rows that a plan rewrites, in the transaction that saw them."""
    if connection is None or connection.dialect.name == "sqlite" or not listing_ids:
        return NO_ROWS
    return _load_sum(connection, seller, listing_ids)


def is_as_seen(connection: Connection, seller: str, seen: SeenRows) -> bool:
    """Whether `fingerprint_after` can tell, later in this transaction, what is left.

    On SQLite nobody else writes from here on, but somebody may have until now.
    """
    if not seen.written or connection.dialect.name != "sqlite":
        return True
    return load_fingerprint(connection, seller) == seen.fingerprint


def fingerprint_after(connection: Connection, seller: str, seen: SeenRows) -> str:
    """Give the fingerprint of the rows that a plan saw, and of what was written since.

    On Postgres other programs commit while a run writes. Their work must not be in it, since no
    plan knows of that: only the rows that this transaction wrote, and so holds, are read.
    """
    if not seen.written:
        return seen.fingerprint
    if connection.dialect.name == "sqlite":
        return load_fingerprint(connection, seller)
    rows, total, purges = (seen.fingerprint or "0:0:0:0").split(":", 2)
    before, now = seen.replaced, _load_sum(connection, seller, seen.written)
    after = RowSum(int(rows) - before.rows + now.rows, int(total) - before.total + now.total)
    return _render(after, purges)


def _render(state: RowSum, purges: str) -> str:
    return f"{state.rows}:{state.total}:{purges}"


def _load_sum(
    connection: Connection, seller: str, listing_ids: Sequence[int] | None = None
) -> RowSum:
    state = _STATE.format(is_active="is_active::text")
    some = "" if listing_ids is None else "AND listing_id = ANY(:ids)"
    statement = text(
        f"SELECT count(*), coalesce(sum(hashtextextended({state}, 0)), 0) "  # noqa: S608 - our own names
        f"FROM listings WHERE seller = :seller {some}"
    )
    ids = {} if listing_ids is None else {"ids": [str(i) for i in listing_ids]}
    rows, total = connection.execute(statement, {"seller": seller, **ids}).one()
    return RowSum(int(rows), int(total))


def _digest_sqlite(connection: Connection, seller: str) -> str:
    """Digest the rows in the order of their ids, some ten thousand at a time."""
    cursor: Any = connection.connection.cursor()
    state = _STATE.format(is_active="is_active")
    digest, after = blake2b(digest_size=16), ""
    while True:
        cursor.execute(
            "SELECT listing_id FROM listings WHERE seller = ? AND listing_id > ? "
            "ORDER BY listing_id LIMIT 1 OFFSET ?",
            (seller, after, _ROWS_PER_DIGEST - 1),
        )
        last = cursor.fetchone()
        until = "" if last is None else "AND listing_id <= ?"
        cursor.execute(
            f"SELECT group_concat({state}, ' ') FROM listings "  # noqa: S608 - our own names
            f"WHERE seller = ? AND listing_id > ? {until}",
            (seller, after, *(last or ())),
        )
        (states,) = cursor.fetchone()
        digest.update(str(states).encode(errors="surrogateescape"))
        if last is None:
            return digest.hexdigest()
        after = last[0]
