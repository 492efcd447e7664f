"""Read the past: the changes of a listing, of a run, and every change since a moment."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.moments import moment_of_run
from discosync.core.past.history import Fields, PastChange, parse_fields
from discosync.core.planning.changes import FieldChange, Lifecycle
from discosync.database.rows.store import ROW_FAULTS, ROWS_PER_QUERY, bad_row
from discosync.database.schema.tables import listing_changes, listings, sync_runs
from discosync.errors import StorageFailed

_MOMENTS = {"posted", "removed_at", "sold_at"}
_MOMENT_LENGTH = len("2026-11-20T14:00:00Z")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_STATE_COLUMNS = ("listing_id", *CONTENT_FIELDS, "posted", *Lifecycle._fields)


def load_sellers(connection: Connection) -> list[str]:
    """Name the sellers that the database holds, by their number of rows never counted."""
    found: list[str] = []
    c = listings.c.seller
    statement = select(func.min(c))
    # Hop from one seller to the next along the index: a DISTINCT would read every row.
    while (seller := connection.execute(statement).scalar()) is not None:
        found.append(seller)
        statement = select(func.min(c)).where(c > seller)
    return found


def load_first_run_after(connection: Connection, seller: str, moment: datetime) -> int | None:
    """Find the first run whose changes came after a moment; None when nothing has changed since."""
    c = sync_runs.c
    # A run whose moment is later has one of the two later, give or take the second in which
    # `moment_of_run` takes them for one.
    about = moment - timedelta(seconds=1) if moment > _EARLIEST else _EARLIEST
    later = (c.started_at > about) | (c.snapshot_as_of > about)
    runs = select(c.id, c.started_at, c.snapshot_as_of).where(c.seller == seller, later)
    for key, started_at, as_of in connection.execute(runs.order_by(c.id)):
        if moment_of_run(started_at, as_of) > moment:
            return int(key)
    return None


def load_first_moment(connection: Connection, seller: str) -> datetime | None:
    """Say what moment the first sync of a seller shows; None when there was none yet."""
    c = sync_runs.c
    syncs = select(c.started_at, c.snapshot_as_of).where(
        c.seller == seller, c.command == "sync", c.exit_code.in_((0, 3))
    )
    first = connection.execute(syncs.order_by(c.id).limit(1)).first()
    return None if first is None else moment_of_run(first.started_at, first.snapshot_as_of)


def load_states(connection: Connection, seller: str) -> Iterator[dict[str, Any]]:
    """Load every listing as it is now, in the history's form of values, by number."""
    is_sqlite = connection.dialect.name == "sqlite"
    cursor = connection.connection.cursor()
    columns = ", ".join(_state_column(name, is_sqlite=is_sqlite) for name in _STATE_COLUMNS)
    cursor.execute(
        f"SELECT {columns} FROM listings "  # noqa: S608
        f"WHERE seller = {'?' if is_sqlite else '%s'} ORDER BY 1",
        (seller,),
    )
    while rows := cursor.fetchmany(1_000):
        for row in rows:
            try:
                state = _plain_state(dict(zip(_STATE_COLUMNS, row, strict=True)))
            except ROW_FAULTS as exc:
                raise bad_row(row[0], exc) from exc
            yield state


def _state_column(name: str, *, is_sqlite: bool) -> str:
    """Have the database write what it writes faster than we do."""
    if name == "listing_id":
        return "CAST(listing_id AS BIGINT)"
    if name in _MOMENTS and is_sqlite:
        # It holds text: 2026-11-20 14:00:00.000000.
        return f"substr({name}, 1, 10) || 'T' || substr({name}, 12, 8) || 'Z'"
    if name in _MOMENTS:
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    return name


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Bring what the driver gave into the history's form."""
    state["is_active"] = bool(state["is_active"])
    for name in _MOMENTS:
        if (moment := state[name]) is not None and len(moment) != _MOMENT_LENGTH:
            raise ValueError(f"{name} is no moment")
    if (accepts := state["accept_offer"]) is not None:
        state["accept_offer"] = bool(accepts)
    if (release := state["release_id"]) is not None and release.isdigit():
        state["release_id"] = int(release)
    if (price := state["price_value"]) is not None:
        state["price_value"] = f"{price:.2f}"
    if (weight := state["weight"]) is not None:
        state["weight"] = plain_number(weight)
    return state


@lru_cache(maxsize=10_000)
def plain_number(value: float) -> str:
    """Write a number without an exponent and without trailing zeros."""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def load_changes_of_listings(
    connection: Connection, seller: str, listing_ids: Sequence[int]
) -> Iterator[PastChange]:
    """Load the history of some listings, oldest first for each."""
    c = listing_changes.c
    for start in range(0, len(listing_ids), ROWS_PER_QUERY):
        wanted = [str(i) for i in listing_ids[start : start + ROWS_PER_QUERY]]
        own = _changes().where(c.seller == seller, c.listing_id.in_(wanted))
        yield from _past_changes(connection, own.order_by(c.id))


def load_changes_of_run(connection: Connection, run_key: int) -> list[PastChange]:
    """Load everything that one run did."""
    c = listing_changes.c
    own = _changes().where(c.sync_run_id == run_key)
    return list(_past_changes(connection, own.order_by(c.id)))


def _changes() -> Select[Any]:
    c, r = listing_changes.c, sync_runs.c
    shown = (c.listing_id, c.kind, c.fields, r.id, r.run_id, r.command)
    moments = (r.started_at, r.snapshot_as_of)
    return select(*shown, *moments).join(sync_runs, c.sync_run_id == r.id)


def _past_changes(connection: Connection, statement: Select[Any]) -> Iterator[PastChange]:
    for listing_id, kind, fields, key, run_id, command, started, as_of in connection.execute(
        statement
    ):
        yield PastChange(
            listing_id=int(listing_id),
            at=moment_of_run(started, as_of),
            run_key=key,
            run_id=run_id,
            command=command,
            kind=kind,
            fields=parse_stored(listing_id, fields),
        )


def parse_stored(listing_id: str, fields: Fields | None) -> tuple[FieldChange, ...]:
    """Read a change's fields; raise `StorageFailed` naming the listing for what no run wrote."""
    try:
        return parse_fields(fields)
    except (ValueError, TypeError, ArithmeticError, AttributeError) as exc:
        raise StorageFailed(
            f"the history of listing {listing_id} holds a row that cannot be read: {exc}",
            hint="another program must have written it: correct that row in listing_changes",
            code="bad_row",
        ) from exc
