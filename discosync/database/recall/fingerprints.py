"""Whether a seller's rows are still as a run left them.

A fingerprint covers what a plan reads of all rows: ids, content hashes, whether they are active
and complete. It covers the purges, too. It does not cover a value that another program edits
without touching the content hash; reading all rows would not show that either.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from discosync.core.inventory.listing import FILLED_ONCE_FIELDS
from discosync.database.connection.session import Session

_WRITTEN_HERE = "xmin::text = (txid_current() % (1::bigint << 32))::text"
"""Which rows are this transaction's own, on Postgres."""

_TRIGGERS = 6
_OWN_TRIGGERS = "('watch_listings_insert', 'watch_listings_delete', 'watch_listings_update')"
_ON_LISTINGS = "FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'listings'"
_MANY_ROWS = 1_000
"""From this many rows on, making the triggers anew costs less than they cost for each row."""

_ROWS_PER_DIGEST = 50_000

_IS_INCOMPLETE = " OR ".join(f"{name} IS NULL" for name in FILLED_ONCE_FIELDS)
_STATE = f"listing_id || coalesce(content_hash, '') || {{is_active}} || ({_IS_INCOMPLETE})"


class RowSum(NamedTuple):
    """Some rows on Postgres: their number and the sum of their hashes, whatever their order."""

    rows: int
    total: int


NO_ROWS = RowSum(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRows:
    """The rows that a plan saw.

    `fingerprint` covers all of them (`""` for none), `replaced` those that the plan rewrites.
    `written` is the number of rows that it writes, new ones included.
    """

    fingerprint: str
    written: int = 0
    replaced: RowSum = NO_ROWS


def load_fingerprint(session: Session, seller: str) -> str:
    """Give the fingerprint of a seller's rows and purges; `""` when there are neither.

    On SQLite, while the triggers watch the table, a mark that is still there proves that nobody
    wrote: no row is read. In every other case all rows are read.
    """
    watched = _watched(session) if session.is_sqlite else None
    if watched is not None and _has_mark(session, seller, watched):
        return watched
    any_row = "SELECT id FROM listings WHERE seller = :seller LIMIT 1"
    is_empty = session.value(any_row, seller=seller) is None
    count, last = session.execute(
        "SELECT count(*), coalesce(max(id), 0) FROM purged_listings WHERE seller = :seller",
        seller=seller,
    ).fetchone()
    if is_empty and not count:
        return ""
    if session.is_sqlite:
        return f"{_digest_sqlite(session, seller)}:{count}:{last}"
    return _render(_load_sum(session, seller), f"{count}:{last}")


def load_replaced(session: Session | None, seller: str, listing_ids: Sequence[int]) -> RowSum:
    """Add up the rows that a plan rewrites.

    A row that another program writes between the plan and this call spoils the next fingerprint,
    and the next run then reads all rows.
    """
    if session is None or session.is_sqlite or not listing_ids:
        return NO_ROWS
    ids = session.one_of([str(i) for i in listing_ids])
    return _load_sum(session, seller, own=session.is_in("listing_id", "ids"), ids=ids)


def is_as_seen(session: Session, seller: str, seen: SeenRows) -> bool:
    """Whether the rows are those that the plan saw, so that `fingerprint_after` will be right.

    Ask it before the last mark is deleted. On SQLite nobody else can write from here on, but
    somebody may have written since the plan. A trigger of another program may write more than the
    plan says: then the answer is no.
    """
    if seen.written and _has_other_triggers(session):
        return False
    return not session.is_sqlite or load_fingerprint(session, seller) == seen.fingerprint


def fingerprint_after(session: Session, seller: str, seen: SeenRows) -> str:
    """Give the fingerprint of the rows as this transaction leaves them.

    On Postgres other programs commit while a run writes. Their rows must not be covered, because
    no plan has seen them. So only rows that this transaction wrote are read; it holds them.
    """
    if session.is_sqlite and (watched := _watched(session)):
        return watched
    if not seen.written:
        return seen.fingerprint
    if session.is_sqlite:
        return load_fingerprint(session, seller)
    rows, total, purges = (seen.fingerprint or "0:0:0:0").split(":", 2)
    before, now = seen.replaced, _load_sum(session, seller, own=_WRITTEN_HERE)
    after = RowSum(int(rows) - before.rows + now.rows, int(total) - before.total + now.total)
    return _render(after, purges)


@contextmanager
def unwatched(session: Session, seen: SeenRows) -> Iterator[None]:
    """Drop SQLite's triggers while a plan writes many rows, and make them anew afterwards.

    The mark is deleted already, so they would do nothing, at a third of the cost of an insert and
    half of an update. A failed transaction brings them back, too. They stay when another program
    has a trigger on the table, which may write another seller's rows.
    """
    if not session.is_sqlite or seen.written < _MANY_ROWS or _has_other_triggers(session):
        yield
        return
    found = session.execute(f"SELECT name, sql {_ON_LISTINGS}").fetchall()
    for name, _ in found:
        session.execute(f"DROP TRIGGER {name}")
    yield
    for _, definition in found:
        session.execute(definition)


def _watched(session: Session) -> str | None:
    """Give the fingerprint of rows that all our triggers watch; None when one is missing.

    A program that rebuilds a table loses the triggers, if only for a while. SQLite counts every
    change of the schema, so that count is part of the fingerprint.
    """
    count, version = session.execute(
        "SELECT count(*), (SELECT schema_version FROM pragma_schema_version) FROM sqlite_master "
        "WHERE type = 'trigger' AND name LIKE 'watch_%' "
        "AND name IN ('watch_' || tbl_name || '_insert', 'watch_' || tbl_name || '_delete', "
        "'watch_' || tbl_name || '_update') AND tbl_name IN ('listings', 'purged_listings')"
    ).fetchone()
    return f"watched:{version}" if count == _TRIGGERS else None


def _has_other_triggers(session: Session) -> bool:
    """Whether another program has a trigger on `listings` (asked on SQLite only)."""
    others = f"SELECT count(*) {_ON_LISTINGS} AND name NOT IN {_OWN_TRIGGERS}"
    return session.is_sqlite and session.value(others) > 0


def _has_mark(session: Session, seller: str, fingerprint: str) -> bool:
    own = "SELECT fingerprint FROM snapshot_marks WHERE seller = :seller"
    return bool(session.value(own, seller=seller) == fingerprint)


def _render(state: RowSum, purges: str) -> str:
    return f"{state.rows}:{state.total}:{purges}"


def _load_sum(
    session: Session, seller: str, *, own: str = "true", ids: str | list[str] = ""
) -> RowSum:
    state = _STATE.format(is_active="is_active::text")
    rows, total = session.execute(
        f"SELECT count(*), coalesce(sum(hashtextextended({state}, 0)), 0) "  # noqa: S608 - our own names
        f"FROM listings WHERE seller = :seller AND {own}",
        seller=seller,
        ids=ids,
    ).fetchone()
    return RowSum(int(rows), int(total))


def _digest_sqlite(session: Session, seller: str) -> str:
    """Digest the rows in the order of their listing ids, 50,000 at a time."""
    cursor = session.cursor()
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
