"""Thin the history of a month, and check that its turns and ends are as before."""

from contextlib import closing
from datetime import datetime

from discosync.core.past.stretches import Stretch, cut_runs, end_of_month, month_of_history
from discosync.core.past.thinning import MERGED, Thinned, Thinning, ThinningCheck
from discosync.database.connection.bulk import Assignments, bulk_writer
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.past.checkpoints import load_covered, load_runs, stretch_rows
from discosync.errors import MigrationFailed, StorageFailed

_LOCK_SECONDS = 30


def load_months_to_thin(session: Session, seller: str, cutoff: datetime) -> list[Stretch]:
    """Find the months that ended before a moment and have not been thinned."""
    thinned = set(load_covered(session, seller, thinned=True))
    return [
        month
        for month in cut_runs(load_runs(session, seller), month_of_history)
        if end_of_month(month.period) <= cutoff and (month.first_run, month.last_run) not in thinned
    ]


def plan_thinning(session: Session, seller: str, month: Stretch) -> Thinned:
    """Work out which rows thinning a month would delete and rewrite."""
    thinning = Thinning()
    for rows in stretch_rows(session, seller, month.first_run, month.last_run + 1):
        thinning.feed(rows)
    return thinning.finish()


def thin_month(session: Session, seller: str, month: Stretch) -> Thinned:
    """Thin a month inside the caller's transaction.

    Raises `MigrationFailed` when a turn, or the end of any field between two turns, would not be
    what it was.
    """
    thinning, before = Thinning(), ThinningCheck()
    for rows in stretch_rows(session, seller, month.first_run, month.last_run + 1):
        thinning.feed(rows)
        before.feed(rows)
    thinned = thinning.finish()
    writer = bulk_writer(session)
    gone = writer.delete("listing_changes", thinned.gone)
    assignments = Assignments(set_columns=("kind", "fields"), keys=("id",))
    rewritten = ((MERGED, fields, row) for row, fields in thinned.rewritten)
    written = writer.update("listing_changes", assignments, rewritten) if thinned.rewritten else 0
    if (gone, written) != (len(thinned.gone), len(thinned.rewritten)):
        raise _not_conserved("another program changed it meanwhile")
    _check(session, seller, month, thinned, before)
    return thinned


def _check(
    session: Session, seller: str, month: Stretch, thinned: Thinned, before: ThinningCheck
) -> None:
    count, after = 0, ThinningCheck()
    for rows in stretch_rows(session, seller, month.first_run, month.last_run + 1):
        count += len(rows)
        after.feed(rows)
    if count != thinned.rows_after:
        raise _not_conserved(f"{count:,} rows would be left, not {thinned.rows_after:,}")
    if after.turns != before.turns:
        raise _not_conserved("what was added, removed or came back would differ")
    if after.ends != before.ends:
        raise _not_conserved("what fields were at first, or at last, would differ")


def _not_conserved(why: str) -> MigrationFailed:
    return MigrationFailed(
        f"the history could not be thinned: {why}",
        hint="nothing was changed; run it again, and if it says so again, please report it",
        code="not_conserved",
    )


def load_history_size(session: Session) -> tuple[int, int]:
    """Give the rows of the history and the bytes it takes: on SQLite those of the whole file."""
    size = "SELECT pg_total_relation_size('listing_changes')"
    if session.is_sqlite:
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(session.value("SELECT count(*) FROM listing_changes")), int(session.value(size))


def give_space_back(database: Database) -> str | None:
    """Give the space of deleted rows back to the disk; say what prevented it, if anything did.

    The rows are gone by then, and space that cannot be given back now is used for new rows.
    """
    try:
        # Outside of a transaction: neither database does it in one.
        with database.errors(), closing(database.connect()) as driver:
            if not database.is_sqlite and _is_shared(database):
                return "a pooler in transaction mode is between, which a setting would leak into"
            for statement in _SQLITE_STATEMENTS if database.is_sqlite else _POSTGRES_STATEMENTS:
                driver.execute(statement)
    except StorageFailed as exc:
        return exc.message
    return None


def _is_shared(database: Database) -> bool:
    from discosync.database.connection.postgres import (  # noqa: PLC0415 - an extra
        shares_between_transactions,
    )

    return shares_between_transactions(database.address)


_SQLITE_STATEMENTS = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")

# Only FULL makes the files smaller. The limit keeps it from waiting for a reader for hours.
_POSTGRES_STATEMENTS = (
    f"SET lock_timeout = '{_LOCK_SECONDS}s'",
    "VACUUM (FULL, ANALYZE) listing_changes, history_checkpoints",
)
