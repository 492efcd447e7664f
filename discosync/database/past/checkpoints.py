"""Checkpoints of the history: packed stretches that `as-of` reads instead of their changes.

Whatever is covered by none is read change by change: they save time, and decide nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from discosync.core.moments import moment_of_run
from discosync.core.past.stretches import (
    Period,
    Stretch,
    cover,
    cut_runs,
    quarter_of_year,
    third_of_month,
)
from discosync.core.past.undone import Undone
from discosync.database.connection.session import Session, in_chunks
from discosync.database.connection.values import read_moment
from discosync.errors import StorageFailed

_CHANGES_PER_FETCH = 10_000


def load_runs(
    session: Session, seller: str, *, after: int = 0, before: int | None = None
) -> Iterator[tuple[int, datetime]]:
    """Load key and moment of a seller's runs, in the order of keys, between two keys."""
    # `coalesce` keeps the database from the index on the seller, which leads to all of its runs.
    own = "coalesce(seller, '') = :seller AND id > :after"
    own += "" if before is None else " AND id < :before"
    rows = session.execute(
        f"SELECT id, started_at, snapshot_as_of FROM sync_runs WHERE {own} ORDER BY id",  # noqa: S608
        seller=seller,
        after=after,
        **({} if before is None else {"before": before}),
    )
    for key, started_at, as_of in rows:
        started = read_moment(started_at)
        if started is not None:
            yield int(key), moment_of_run(started, read_moment(as_of))


def load_undone(
    session: Session, seller: str, first_run: int | None, *, until: int | None = None
) -> Undone:
    """Undo every change since a run, that run included, by checkpoints as far as there are any.

    Up to, but not including, the run `until`.
    """
    undone = Undone()
    if first_run is None:
        return undone
    end = "" if until is None else "AND last_run_id < :until"
    spans = session.execute(
        "SELECT first_run_id, last_run_id FROM history_checkpoints "  # noqa: S608 - our own names
        f"WHERE seller = :seller AND first_run_id >= :first_run {end}",
        seller=seller,
        first_run=first_run,
        **({} if until is None else {"until": until}),
    ).fetchall()
    for first, last in cover((row[0], row[1]) for row in spans):
        undone.precede(load_stretch(session, seller, last + 1, until))
        packed = session.value(
            "SELECT replaced FROM history_checkpoints WHERE seller = :seller "
            "AND first_run_id = :first AND last_run_id = :last LIMIT 1",
            seller=seller,
            first=first,
            last=last,
        )
        _precede(undone, bytes(packed))
        until = first
    undone.precede(load_stretch(session, seller, first_run, until))
    return undone


def load_stretch(session: Session, seller: str, first_run: int, until: int | None) -> Undone:
    """Undo the changes of runs from one on, up to but not including another, one by one.

    By run, and only then by row: what a restore brought back has later rows and earlier runs.
    """
    undone = Undone()
    if until is not None and until <= first_run:
        return undone
    for rows in stretch_rows(session, seller, first_run, until):
        undone.undo([row[1:] for row in rows])
    return undone


def stretch_rows(
    session: Session, seller: str, first_run: int, until: int | None
) -> Iterator[Sequence[Any]]:
    """Read a stretch's changes, a few thousand at a time: row, listing, kind, fields as JSON."""
    fields = "fields" if session.is_sqlite else "fields::text"
    end = "" if until is None else "AND sync_run_id < :until"
    # The plus sign keeps SQLite from the seller's index, which leads to rows of all times.
    rows = session.execute(
        f"SELECT id, CAST(listing_id AS BIGINT), kind, {fields} FROM listing_changes "  # noqa: S608
        f"WHERE sync_run_id >= :first_run {end} "
        f"AND {'+' if session.is_sqlite else ''}seller = :seller ORDER BY sync_run_id, id",
        seller=seller,
        first_run=first_run,
        **({} if until is None else {"until": until}),
    )
    while some := rows.fetchmany(_CHANGES_PER_FETCH):
        yield some


def record_checkpoint(session: Session, seller: str, run_key: int, moment: datetime) -> None:
    """Pack the third of a month that ended before this run, unless it is packed already.

    Only the newest: a run must not pay for a history of years. `make_checkpoints` does the rest.
    With the last third of a quarter the quarter is packed, too, from its thirds.
    """
    after = session.value(
        "SELECT coalesce(max(last_run_id), 0) FROM history_checkpoints WHERE seller = :seller",
        seller=seller,
    )
    earlier = load_runs(session, seller, after=after, before=run_key)
    *closed, _ = cut_runs(chain(earlier, [(run_key, moment)]), third_of_month)
    if closed:
        _write(session, seller, closed[-1], is_thinned=False)
        if _quarter_of(closed[-1]) < quarter_of_year(moment):
            _write_quarters(session, seller, before=run_key, moment=moment)


def make_checkpoints(session: Session, seller: str, *, before: datetime) -> int:
    """Pack every stretch that has ended and is covered by no checkpoint; return how many."""
    covered = load_covered(session, seller)
    made = 0
    for stretch in cut_runs(load_runs(session, seller), third_of_month)[:-1]:
        is_touched = any(a <= stretch.last_run and stretch.first_run <= b for a, b in covered)
        if stretch.period < third_of_month(before) and not is_touched:
            _write(session, seller, stretch, is_thinned=False)
            made += 1
    return made + _write_quarters(session, seller, before=None, moment=before)


def _quarter_of(third: Stretch) -> Period:
    year, month = third.period[:2]
    return year, (month - 1) // 3


def _write_quarters(session: Session, seller: str, *, before: int | None, moment: datetime) -> int:
    """Pack the quarters of a year that have ended by a moment, from the checkpoints inside them.

    All of them, or the one that ended just before a run.
    """
    covered = set(load_covered(session, seller))
    made = 0
    quarters = cut_runs(load_runs(session, seller, before=before), quarter_of_year)
    # The run `before` begins the next quarter, so that the last one has ended. Without such a run
    # the last one may still be growing.
    for quarter in quarters[:-1] if before is None else quarters[-1:]:
        span = (quarter.first_run, quarter.last_run)
        if quarter.period < quarter_of_year(moment) and span not in covered:
            until = quarter.last_run + 1
            undone = load_undone(session, seller, quarter.first_run, until=until)
            _insert(session, seller, quarter, undone, is_thinned=False)
            made += 1
    return made


def load_covered(session: Session, seller: str, *, thinned: bool = False) -> list[tuple[int, int]]:
    """Load the first and last run of each checkpoint; with `thinned`, of thinned ones only."""
    rows = session.execute(
        "SELECT first_run_id, last_run_id FROM history_checkpoints WHERE seller = :seller "  # noqa: S608
        f"{'AND is_thinned' if thinned else ''} ORDER BY first_run_id",
        seller=seller,
    )
    return [(row[0], row[1]) for row in rows]


def replace_checkpoints(session: Session, seller: str, months: Sequence[Stretch]) -> None:
    """Replace all checkpoints that overlap a thinned month by one for that month."""
    for month in months:
        session.execute(
            "DELETE FROM history_checkpoints WHERE seller = :seller "
            "AND first_run_id <= :last_run AND last_run_id >= :first_run",
            seller=seller,
            first_run=month.first_run,
            last_run=month.last_run,
        )
        _write(session, seller, month, is_thinned=True)


def remake_checkpoints(session: Session, seller: str, listing_ids: Sequence[int]) -> None:
    """Pack some listings anew in every checkpoint: their history was purged or put back."""
    own = session.execute(
        "SELECT id, first_run_id, last_run_id, replaced FROM history_checkpoints "
        "WHERE seller = :seller ORDER BY id",
        seller=seller,
    ).fetchall()
    for key, first, last, replaced in own:
        undone = Undone()
        _precede(undone, bytes(replaced))
        undone.forget(listing_ids)
        for changes in _changes_of(session, seller, listing_ids, (first, last)):
            undone.undo(changes)
        # Where changes were put back there may be more to thin now.
        thinned = ", is_thinned = false" if undone.changes_read else ""
        session.execute(
            f"UPDATE history_checkpoints SET replaced = :replaced {thinned} WHERE id = :key",  # noqa: S608
            replaced=undone.pack(),
            key=key,
        )


def _changes_of(
    session: Session, seller: str, listing_ids: Sequence[int], runs: tuple[int, int]
) -> Iterator[list[tuple[int, str, str | None]]]:
    fields = "fields" if session.is_sqlite else "fields::text"
    for chunk in in_chunks([str(i) for i in listing_ids]):
        found = session.execute(
            f"SELECT listing_id, kind, {fields} FROM listing_changes "  # noqa: S608 - our own names
            f"WHERE seller = :seller AND {session.is_in('listing_id', 'ids')} "
            "AND sync_run_id BETWEEN :first AND :last ORDER BY sync_run_id, id",
            seller=seller,
            ids=session.one_of(chunk),
            first=runs[0],
            last=runs[1],
        )
        yield [(int(listing_id), kind, text) for listing_id, kind, text in found]


def _write(session: Session, seller: str, stretch: Stretch, *, is_thinned: bool) -> None:
    undone = load_stretch(session, seller, stretch.first_run, stretch.last_run + 1)
    _insert(session, seller, stretch, undone, is_thinned=is_thinned)


def _insert(
    session: Session, seller: str, stretch: Stretch, undone: Undone, *, is_thinned: bool
) -> None:
    session.insert(
        "history_checkpoints",
        seller=seller,
        first_run_id=stretch.first_run,
        last_run_id=stretch.last_run,
        is_thinned=is_thinned,
        replaced=undone.pack(),
    )


def _precede(undone: Undone, replaced: bytes) -> None:
    try:
        undone.precede_packed(replaced)
    except ValueError as exc:
        raise StorageFailed(
            f"a row of history_checkpoints cannot be read: {exc}",
            hint="delete its rows: they are made again by `discosync db compact --apply`",
            code="bad_row",
        ) from exc
