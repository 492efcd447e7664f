"""Checkpoints of the history: packed stretches that `as-of` reads instead of their changes.

Whatever is covered by none is read change by change: they save time, and decide nothing.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from discosync.core.moments import moment_of_run
from discosync.core.stretches import (
    Period,
    Stretch,
    cover,
    cut_runs,
    quarter_of_year,
    third_of_month,
)
from discosync.core.undone import Undone
from discosync.database.store import ROWS_PER_QUERY
from discosync.database.tables import history_checkpoints, listing_changes, sync_runs
from discosync.errors import StorageFailed

_CHANGES_PER_FETCH = 10_000


def load_runs(
    connection: Connection, seller: str, *, after: int = 0, before: int | None = None
) -> Iterator[tuple[int, datetime]]:
    """Load key and moment of a seller's runs in a range of keys, by key."""
    c = sync_runs.c
    # Not by the index on the seller, which leads to all of its runs.
    own = select(c.id, c.started_at, c.snapshot_as_of).where(func.coalesce(c.seller, "") == seller)
    own = own.where(c.id > after)
    if before is not None:
        own = own.where(c.id < before)
    for key, started_at, as_of in connection.execute(own.order_by(c.id)):
        yield int(key), moment_of_run(started_at, as_of)


def load_undone(
    connection: Connection, seller: str, first_run: int | None, *, until: int | None = None
) -> Undone:
    """Undo every change since a run, that run included: packed where it is, else one by one.

    Up to, but not including, the run `until`.
    """
    undone = Undone()
    if first_run is None:
        return undone
    c = history_checkpoints.c
    spans = select(c.first_run_id, c.last_run_id).where(
        c.seller == seller, c.first_run_id >= first_run
    )
    if until is not None:
        spans = spans.where(c.last_run_id < until)
    for first, last in cover((row[0], row[1]) for row in connection.execute(spans)):
        undone.precede(load_stretch(connection, seller, last + 1, until))
        own = (c.seller == seller, c.first_run_id == first, c.last_run_id == last)
        packed = select(c.replaced).where(*own).limit(1)
        _precede(undone, connection.execute(packed).scalar_one())
        until = first
    undone.precede(load_stretch(connection, seller, first_run, until))
    return undone


def load_stretch(connection: Connection, seller: str, first_run: int, until: int | None) -> Undone:
    """Undo the changes of runs from one on, up to but not including another, one by one.

    By run, and only then by row: what a restore brought back has later rows and earlier runs.
    """
    undone = Undone()
    if until is not None and until <= first_run:
        return undone
    for rows in stretch_rows(connection, seller, first_run, until):
        undone.undo([row[1:] for row in rows])
    return undone


def stretch_rows(
    connection: Connection, seller: str, first_run: int, until: int | None
) -> Iterator[Sequence[Any]]:
    """Read a stretch's changes, a few thousand at a time: row, listing, kind, fields as JSON."""
    is_sqlite = connection.dialect.name == "sqlite"
    fields, mark = ("fields", "?") if is_sqlite else ("fields::text", "%s")
    end = "" if until is None else f"AND sync_run_id < {int(until)} "
    cursor = connection.connection.cursor()
    # The sign keeps SQLite from the seller's index: it leads to rows of all times.
    cursor.execute(
        f"SELECT id, CAST(listing_id AS BIGINT), kind, {fields} FROM listing_changes "  # noqa: S608
        f"WHERE sync_run_id >= {int(first_run)} {end}"
        f"AND {'+' if is_sqlite else ''}seller = {mark} ORDER BY sync_run_id, id",
        (seller,),
    )
    while rows := cursor.fetchmany(_CHANGES_PER_FETCH):
        yield rows


def record_checkpoint(connection: Connection, seller: str, run_key: int, moment: datetime) -> None:
    """Pack the third of a month that ended before this run, unless that has been done.

    Only the newest: a run must not pay for a history of years. `make_checkpoints` does the rest.
    With the last third of a quarter the quarter is packed, too, from its thirds.
    """
    c = history_checkpoints.c
    packed = select(func.coalesce(func.max(c.last_run_id), 0)).where(c.seller == seller)
    after = connection.execute(packed).scalar_one()
    earlier = load_runs(connection, seller, after=after, before=run_key)
    *closed, _ = cut_runs(chain(earlier, [(run_key, moment)]), third_of_month)
    if closed:
        _write(connection, seller, closed[-1], is_thinned=False)
        if _quarter_of(closed[-1]) < quarter_of_year(moment):
            _write_quarters(connection, seller, before=run_key, moment=moment)


def make_checkpoints(connection: Connection, seller: str, *, before: datetime) -> int:
    """Pack every stretch that has ended and is covered by no checkpoint; return how many."""
    covered = load_covered(connection, seller)
    made = 0
    for stretch in cut_runs(load_runs(connection, seller), third_of_month)[:-1]:
        is_touched = any(a <= stretch.last_run and stretch.first_run <= b for a, b in covered)
        if stretch.period < third_of_month(before) and not is_touched:
            _write(connection, seller, stretch, is_thinned=False)
            made += 1
    return made + _write_quarters(connection, seller, before=None, moment=before)


def _quarter_of(third: Stretch) -> Period:
    year, month = third.period[:2]
    return year, (month - 1) // 3


def _write_quarters(
    connection: Connection, seller: str, *, before: int | None, moment: datetime
) -> int:
    """Pack the quarters that have ended by a moment, from what is packed of them already.

    All of them, or the one that ended just before a run.
    """
    covered = set(load_covered(connection, seller))
    made = 0
    quarters = cut_runs(load_runs(connection, seller, before=before), quarter_of_year)
    # Before a run that begins the next one the last has ended; else it may still be growing.
    for quarter in quarters[:-1] if before is None else quarters[-1:]:
        span = (quarter.first_run, quarter.last_run)
        if quarter.period < quarter_of_year(moment) and span not in covered:
            until = quarter.last_run + 1
            undone = load_undone(connection, seller, quarter.first_run, until=until)
            _insert(connection, seller, quarter, undone, is_thinned=False)
            made += 1
    return made


def load_covered(
    connection: Connection, seller: str, *, thinned: bool = False
) -> list[tuple[int, int]]:
    """Load which runs checkpoints cover, first and last; of thinned stretches only, if asked."""
    c = history_checkpoints.c
    own = select(c.first_run_id, c.last_run_id).where(c.seller == seller)
    own = own.where(c.is_thinned) if thinned else own
    return [(row[0], row[1]) for row in connection.execute(own.order_by(c.first_run_id))]


def replace_checkpoints(connection: Connection, seller: str, months: Sequence[Stretch]) -> None:
    """Put one checkpoint for each thinned month in the place of all that overlap it."""
    c = history_checkpoints.c
    for month in months:
        overlaps = (c.first_run_id <= month.last_run, c.last_run_id >= month.first_run)
        connection.execute(delete(history_checkpoints).where(c.seller == seller, *overlaps))
        _write(connection, seller, month, is_thinned=True)


def remake_checkpoints(connection: Connection, seller: str, listing_ids: Sequence[int]) -> None:
    """Bring what checkpoints hold of some listings up to a history that was taken or put back."""
    c = history_checkpoints.c
    own = select(c.id, c.first_run_id, c.last_run_id, c.replaced).where(c.seller == seller)
    for key, first, last, replaced in connection.execute(own.order_by(c.id)).fetchall():
        undone = Undone()
        _precede(undone, replaced)
        undone.forget(listing_ids)
        for changes in _changes_of(connection, seller, listing_ids, (first, last)):
            undone.undo(changes)
        values: dict[str, Any] = {"replaced": undone.pack()}
        if undone.changes_read:
            values["is_thinned"] = False  # there may be more to thin now
        connection.execute(update(history_checkpoints).where(c.id == key).values(values))


def _changes_of(
    connection: Connection, seller: str, listing_ids: Sequence[int], runs: tuple[int, int]
) -> Iterator[list[tuple[int, str, str | None]]]:
    c = listing_changes.c
    for start in range(0, len(listing_ids), ROWS_PER_QUERY):
        wanted = [str(i) for i in listing_ids[start : start + ROWS_PER_QUERY]]
        own: Select[Any] = select(c.listing_id, c.kind, c.fields).where(
            c.seller == seller, c.listing_id.in_(wanted), c.sync_run_id.between(*runs)
        )
        found = connection.execute(own.order_by(c.sync_run_id, c.id))
        yield [(int(listing_id), kind, _text(fields)) for listing_id, kind, fields in found]


def _text(fields: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    return None if fields is None else json.dumps(fields)


def _write(connection: Connection, seller: str, stretch: Stretch, *, is_thinned: bool) -> None:
    undone = load_stretch(connection, seller, stretch.first_run, stretch.last_run + 1)
    _insert(connection, seller, stretch, undone, is_thinned=is_thinned)


def _insert(
    connection: Connection, seller: str, stretch: Stretch, undone: Undone, *, is_thinned: bool
) -> None:
    row = {
        "seller": seller,
        "first_run_id": stretch.first_run,
        "last_run_id": stretch.last_run,
        "is_thinned": is_thinned,
        "replaced": undone.pack(),
    }
    connection.execute(insert(history_checkpoints).values(row))


def _precede(undone: Undone, replaced: bytes) -> None:
    try:
        undone.precede_packed(replaced)
    except ValueError as exc:
        raise StorageFailed(
            f"a row of history_checkpoints cannot be read: {exc}",
            hint="delete its rows: they are made again by `discosync db compact --apply`",
            code="bad_row",
        ) from exc
