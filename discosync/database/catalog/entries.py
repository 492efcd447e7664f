"""The tables `artists` and `labels`: load what a decision needs, write what it says."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Column, Connection, Table, delete, exists, select, update

from discosync.core.catalog.entries import Credit, Entry, EntryPlan, plan_entries
from discosync.database.connection.bulk import Assignments, bulk_writer
from discosync.database.rows.store import ROWS_PER_QUERY
from discosync.database.schema.column_types import naive
from discosync.database.schema.tables import (
    artists,
    labels,
    listing_artists,
    listing_labels,
    listings,
)

_REFERENCES: dict[str, tuple[Column[str], ...]] = {
    artists.name: (listing_artists.c.artist_id, listings.c.artist_id),
    labels.name: (listing_labels.c.label_id, listings.c.label_id),
}
"""Every column that points to an entry."""


def settle_entries(
    connection: Connection,
    table: Table,
    credits_: Sequence[Credit],
    *,
    now: datetime,
    names_may_be_ids: bool,
) -> EntryPlan:
    """Bring `artists` or `labels` to what credits say, inside the caller's transaction."""
    plan = plan_entries(
        credits_,
        _load_entries(connection, table, credits_),
        new_uuid=lambda: str(uuid4()),
        names_may_be_ids=names_may_be_ids,
    )
    stamp = naive(now)
    for column, values in (("discogs_id", plan.numbered), ("name", plan.renamed)):
        if values:
            assignments = Assignments(set_columns=(column, "updated_at"), keys=("uuid",))
            changed = [(value, stamp, uuid) for uuid, value in values.items()]
            bulk_writer(connection).update(table.name, assignments, changed)
    for old, new in plan.merged.items():
        _merge(connection, table, old, new)
    columns = ("uuid", "discogs_id", "name", "is_unlisted", "created_at", "updated_at")
    rows = [(e.uuid, e.discogs_id, e.name, e.is_unlisted, stamp, stamp) for e in plan.added]
    if rows:
        bulk_writer(connection).insert(table.name, columns, rows)
    return plan


def _merge(connection: Connection, table: Table, old: str, new: str) -> None:
    """Move what points to one entry, and what somebody wrote about it, to another."""
    c = table.c
    for column in _REFERENCES[table.name]:
        moved = update(column.table).where(column == old)
        connection.execute(moved.values({column.name: new}))
    wrote = connection.execute(select(c.profile, c.description).where(c.uuid == old)).one()
    if any(wrote):
        curated = {"profile": wrote[0], "description": wrote[1]}
        connection.execute(update(table).where(c.uuid == new).values(curated))
    connection.execute(delete(table).where(c.uuid == old))


def drop_unlinked(connection: Connection, table: Table, uuids: Iterable[str]) -> None:
    """Delete those of these entries that are a mere name, that nothing points to any more.

    What has an id, or what somebody wrote something about, stays.
    """
    c = table.c
    mere_name = (c.discogs_id.is_(None), c.profile.is_(None), c.description.is_(None))
    unused = [~exists().where(column == c.uuid) for column in _REFERENCES[table.name]]
    wanted = sorted(uuids)
    for start in range(0, len(wanted), ROWS_PER_QUERY):
        chunk = wanted[start : start + ROWS_PER_QUERY]
        connection.execute(delete(table).where(c.uuid.in_(chunk), *mere_name, *unused))


def _load_entries(
    connection: Connection, table: Table, credits_: Iterable[Credit]
) -> Iterator[Entry]:
    """Load every entry that has an id or a name of these credits."""
    numbers = {credit.discogs_id for credit in credits_ if credit.discogs_id is not None}
    names = {credit.name for credit in credits_}
    seen: set[str] = set()
    for column, values in ((table.c.discogs_id, sorted(numbers)), (table.c.name, sorted(names))):
        for start in range(0, len(values), ROWS_PER_QUERY):
            chunk = values[start : start + ROWS_PER_QUERY]
            for entry in _select_entries(connection, table, column, chunk):
                if entry.uuid not in seen:
                    seen.add(entry.uuid)
                    yield entry


def _select_entries(
    connection: Connection,
    table: Table,
    column: Column[int] | Column[str],
    values: Sequence[object],
) -> Iterator[Entry]:
    c = table.c
    shown = select(c.uuid, c.discogs_id, c.name, c.is_unlisted, c.profile, c.description)
    for uuid, number, name, is_unlisted, *wrote in connection.execute(
        shown.where(column.in_(values)).order_by(c.uuid)
    ):
        yield Entry(
            uuid=uuid,
            discogs_id=number,
            name=name,
            is_curated=any(wrote),
            is_unlisted=is_unlisted,
        )
