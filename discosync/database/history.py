"""Read the past: the changes of a listing, of a run, and every change since a moment."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, func, select

from discosync.core.changes import Lifecycle
from discosync.core.history import Fields, PastChange, Undone, parse_fields
from discosync.core.listing import CONTENT_FIELDS
from discosync.core.moments import moment_of_run
from discosync.database.store import ROWS_PER_QUERY
from discosync.database.tables import listing_changes, listings, sync_runs
from discosync.errors import StorageFailed

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
    runs = select(c.id, c.started_at, c.snapshot_as_of).where(c.seller == seller)
    for key, started_at, as_of in connection.execute(runs.order_by(c.id)):
        if moment_of_run(started_at, as_of) > moment:
            return int(key)
    return None


def load_undone(connection: Connection, seller: str, first_run: int | None) -> Undone:
    """Undo every change since a run, that run included."""
    undone = Undone()
    if first_run is None:
        return undone
    c = listing_changes.c
    fields = "fields" if connection.dialect.name == "sqlite" else "fields::text"
    cursor = connection.connection.cursor()
    # Along the rows themselves: by any index, each row of the history is looked up by itself.
    # What a restore brought back has later ids and earlier runs.
    first_id = select(func.min(c.id)).where(c.sync_run_id >= first_run)
    cursor.execute(
        f"SELECT seller, listing_id, kind, {fields} FROM listing_changes "  # noqa: S608
        f"WHERE id >= {connection.execute(first_id).scalar() or 0} "
        f"AND +sync_run_id >= {first_run} ORDER BY id"
    )
    while rows := cursor.fetchmany(10_000):
        undone.undo([row[1:] for row in rows if row[0] == seller])
    return undone


def load_states(connection: Connection, seller: str) -> Iterator[dict[str, Any]]:
    """Load every listing as it is now, in the history's form of values, by number."""
    cursor = connection.connection.cursor()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    number = "CAST(listing_id AS BIGINT)"
    cursor.execute(
        f"SELECT {', '.join(_STATE_COLUMNS)} FROM listings "  # noqa: S608
        f"WHERE seller = {mark} ORDER BY {number}",
        (seller,),
    )
    while rows := cursor.fetchmany(5_000):
        for row in rows:
            yield _plain_state(dict(zip(_STATE_COLUMNS, row, strict=True)))


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Bring what the driver gave into the history's form."""
    state["listing_id"] = int(state["listing_id"])
    state["is_active"] = bool(state["is_active"])
    if state["accept_offer"] is not None:
        state["accept_offer"] = bool(state["accept_offer"])
    if (release := state["release_id"]) is not None and release.isdigit():
        state["release_id"] = int(release)
    if (price := state["price_value"]) is not None:
        state["price_value"] = f"{price:.2f}"
    if (weight := state["weight"]) is not None:
        state["weight"] = plain_number(weight)
    for name in ("posted", "removed_at", "sold_at"):
        if (moment := state[name]) is not None:
            # SQLite gives the text that it holds: 2026-11-20 14:00:00.000000.
            text = moment if isinstance(moment, str) else moment.isoformat(" ")
            state[name] = f"{text[:10]}T{text[11:19]}Z"
    return state


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
            fields=_parsed(listing_id, fields),
        )


def _parsed(listing_id: str, fields: Fields | None) -> Any:  # noqa: ANN401 - a tuple of changes
    try:
        return parse_fields(fields)
    except (ValueError, TypeError, ArithmeticError, AttributeError) as exc:
        raise StorageFailed(
            f"the history of listing {listing_id} holds a row that cannot be read: {exc}",
            hint="another program must have written it: correct that row in listing_changes",
            code="bad_row",
        ) from exc
