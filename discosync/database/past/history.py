"""Read the history: the changes of listings and of runs, and every listing as it is now."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from discosync.core.inventory.listing import CONTENT_FIELDS, heading_of
from discosync.core.moments import moment_of_run
from discosync.core.past.history import Fields, PastChange, parse_fields
from discosync.core.planning.changes import FieldChange, Lifecycle
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.database.connection.session import Session, in_chunks
from discosync.database.connection.values import ROW_FAULTS, read_json, read_moment
from discosync.database.rows.known import bad_row
from discosync.errors import StorageFailed

_MOMENTS = {"posted", "removed_at", "sold_at"}
_MOMENT_LENGTH = len("2026-11-20T14:00:00Z")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_STATE_COLUMNS = ("listing_id", *CONTENT_FIELDS, "posted", *Lifecycle._fields)


def load_first_run_after(session: Session, seller: str, moment: datetime) -> int | None:
    """Find the first run whose changes came after a moment; None when nothing has changed since."""
    # The moment of a run is one of these two, which `moment_of_run` treats as one when they are
    # less than a second apart. So this finds all runs that may be later, and the loop decides.
    about = moment - timedelta(seconds=1) if moment > _EARLIEST else _EARLIEST
    runs = session.execute(
        "SELECT id, started_at, snapshot_as_of FROM sync_runs WHERE seller = :seller "
        "AND (started_at > :about OR snapshot_as_of > :about) ORDER BY id",
        seller=seller,
        about=session.moment(about),
    )
    for key, *moments in runs:
        if _moment_of(*moments) > moment:
            return int(key)
    return None


def load_first_moment(session: Session, seller: str) -> datetime | None:
    """Say what moment the first sync of a seller shows; None when there was none yet."""
    first = session.execute(
        "SELECT started_at, snapshot_as_of FROM sync_runs WHERE seller = :seller "
        "AND command = 'sync' AND exit_code IN (0, 3) ORDER BY id LIMIT 1",
        seller=seller,
    ).fetchone()
    return None if first is None else _moment_of(*first)


def _moment_of(started_at: str | datetime, as_of: Any) -> datetime:  # noqa: ANN401 - may be NULL
    return moment_of_run(read_moment(started_at), read_moment(as_of))


def load_states(session: Session, seller: str) -> Iterator[dict[str, Any]]:
    """Load every listing as it is now, by number, with its values written as the history does."""
    columns = ", ".join(_state_column(n, is_sqlite=session.is_sqlite) for n in _STATE_COLUMNS)
    cursor = session.execute(
        f"SELECT {columns} FROM listings WHERE seller = :seller ORDER BY 1",  # noqa: S608
        seller=seller,
    )
    while rows := cursor.fetchmany(1_000):
        for row in rows:
            try:
                state = _plain_state(dict(zip(_STATE_COLUMNS, row, strict=True)))
            except ROW_FAULTS as exc:
                raise bad_row(row[0], exc) from exc
            yield state


def _state_column(name: str, *, is_sqlite: bool) -> str:
    """Let the database write numbers and moments as text: it is faster than we are."""
    if name == "listing_id":
        return "CAST(listing_id AS BIGINT)"
    if name in _MOMENTS and is_sqlite:
        # It holds text: 2026-11-20 14:00:00.000000.
        return f"substr({name}, 1, 10) || 'T' || substr({name}, 12, 8) || 'Z'"
    if name in _MOMENTS:
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    return name


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Write values of the driver as the history does."""
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


_CHANGES = """
SELECT c.listing_id, c.kind, c.fields, r.id, r.run_id, r.command, r.started_at, r.snapshot_as_of
FROM listing_changes c JOIN sync_runs r ON r.id = c.sync_run_id
"""


def load_changes_of_listings(
    session: Session, seller: str, listing_ids: Sequence[int]
) -> Iterator[PastChange]:
    """Load the history of some listings, oldest first for each."""
    own = f"c.seller = :seller AND {session.is_in('c.listing_id', 'ids')}"
    for chunk in in_chunks([str(i) for i in listing_ids]):
        ids = session.one_of(chunk)
        found = session.execute(f"{_CHANGES} WHERE {own} ORDER BY c.id", seller=seller, ids=ids)
        yield from map(_past_change, found)


def load_changes_of_run(session: Session, run_key: int) -> list[PastChange]:
    """Load everything that one run did."""
    own = f"{_CHANGES} WHERE c.sync_run_id = :run_key ORDER BY c.id"
    return list(map(_past_change, session.execute(own, run_key=run_key)))


def _past_change(row: Sequence[Any]) -> PastChange:
    listing_id, kind, fields, key, run_id, command, *moments = row
    return PastChange(
        listing_id=int(listing_id),
        at=_moment_of(*moments),
        run_key=key,
        run_id=run_id,
        command=command,
        kind=kind,
        fields=_parse_stored(listing_id, fields),
    )


def load_entries_of_run(session: Session, run_key: int) -> Iterator[ChangeEntry]:
    """Load every change of a run, in the order of writing; records are named as they are now."""
    rows = session.execute(
        "SELECT c.listing_id, c.kind, c.fields, l.artist_names, l.release_title "
        "FROM listing_changes c "
        "LEFT JOIN listings l ON l.seller = c.seller AND l.listing_id = c.listing_id "
        "WHERE c.sync_run_id = :run_key ORDER BY c.id",
        run_key=run_key,
    )
    for listing_id, kind, fields, artists, title in rows:
        yield ChangeEntry(
            kind=kind,
            listing_id=int(listing_id),
            heading=heading_of(artists, title),
            fields=_parse_stored(listing_id, fields),
        )


def _parse_stored(listing_id: str, stored: str | Fields | None) -> tuple[FieldChange, ...]:
    """Read a change's fields; raise `StorageFailed`, naming the listing, if no run wrote them."""
    fields: Fields | None = read_json(stored)
    try:
        return parse_fields(fields)
    except ROW_FAULTS as exc:
        raise StorageFailed(
            f"the history of listing {listing_id} holds a row that cannot be read: {exc}",
            hint="another program must have written it: correct that row in listing_changes",
            code="bad_row",
        ) from exc
