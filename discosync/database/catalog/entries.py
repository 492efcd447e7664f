"""The tables `artists` and `labels`: load what a decision needs, write what it says."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from discosync.core.catalog.entries import Credit, Entry, EntryPlan, plan_entries
from discosync.database.connection.bulk import Assignments, bulk_writer
from discosync.database.connection.session import Session, in_chunks
from discosync.database.connection.values import naive


class EntryTable(StrEnum):
    """A table of entries: people and groups, or labels."""

    ARTISTS = "artists"
    LABELS = "labels"


_REFERENCES = {
    EntryTable.ARTISTS: (("listing_artists", "artist_id"), ("listings", "artist_id")),
    EntryTable.LABELS: (("listing_labels", "label_id"), ("listings", "label_id")),
}
"""Every column that points to an entry, with its table."""


def settle_entries(
    session: Session,
    table: EntryTable,
    credits_: Sequence[Credit],
    *,
    now: datetime,
    names_may_be_ids: bool,
) -> EntryPlan:
    """Bring `artists` or `labels` to what credits say, inside the caller's transaction."""
    plan = plan_entries(
        credits_,
        _load_entries(session, table, credits_),
        new_uuid=lambda: str(uuid4()),
        names_may_be_ids=names_may_be_ids,
    )
    stamp, writer = naive(now), bulk_writer(session)
    for column, values in (("discogs_id", plan.numbered), ("name", plan.renamed)):
        if values:
            assignments = Assignments(set_columns=(column, "updated_at"), keys=("uuid",))
            changed = [(value, stamp, uuid) for uuid, value in values.items()]
            writer.update(table, assignments, changed)
    for old, new in plan.merged.items():
        _merge(session, table, old, new)
    columns = ("uuid", "discogs_id", "name", "is_unlisted", "created_at", "updated_at")
    rows = [(e.uuid, e.discogs_id, e.name, e.is_unlisted, stamp, stamp) for e in plan.added]
    if rows:
        writer.insert(table, columns, rows)
    return plan


def _merge(session: Session, table: EntryTable, old: str, new: str) -> None:
    """Move one entry's links, and what a person wrote about it, to another; then delete it."""
    for other, column in _REFERENCES[table]:
        session.execute(
            f"UPDATE {other} SET {column} = :new WHERE {column} = :old",  # noqa: S608
            new=new,
            old=old,
        )
    profile, description = session.execute(
        f"SELECT profile, description FROM {table} WHERE uuid = :old",  # noqa: S608
        old=old,
    ).fetchone()
    if profile or description:
        session.execute(
            f"UPDATE {table} SET profile = :profile, description = :description "  # noqa: S608
            "WHERE uuid = :new",
            profile=profile,
            description=description,
            new=new,
        )
    session.execute(f"DELETE FROM {table} WHERE uuid = :old", old=old)  # noqa: S608


def drop_unlinked(session: Session, table: EntryTable, uuids: Iterable[str]) -> None:
    """Delete those of these entries that are a mere name and that nothing points to any more.

    An entry stays that has an id, or about which somebody wrote something.
    """
    unused = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{column} = {table}.uuid)"  # noqa: S608
        for other, column in _REFERENCES[table]
    )
    for chunk in in_chunks(sorted(uuids)):
        session.execute(
            f"DELETE FROM {table} WHERE {session.is_in('uuid', 'uuids')} "  # noqa: S608
            f"AND discogs_id IS NULL AND profile IS NULL AND description IS NULL AND {unused}",
            uuids=session.one_of(chunk),
        )


def _load_entries(
    session: Session, table: EntryTable, credits_: Iterable[Credit]
) -> Iterator[Entry]:
    """Load every entry that has an id or a name of these credits."""
    numbers = {credit.discogs_id for credit in credits_ if credit.discogs_id is not None}
    names = {credit.name for credit in credits_}
    seen: set[str] = set()
    for entry in (
        *_select_entries(session, table, "discogs_id", sorted(numbers)),
        *_select_entries(session, table, "name", sorted(names)),
    ):
        if entry.uuid not in seen:
            seen.add(entry.uuid)
            yield entry


def _select_entries(
    session: Session, table: EntryTable, column: str, values: Sequence[Any]
) -> Iterator[Entry]:
    for chunk in in_chunks(values):
        rows = session.execute(
            "SELECT uuid, discogs_id, name, is_unlisted, profile, description "  # noqa: S608
            f"FROM {table} WHERE {session.is_in(column, 'wanted')} ORDER BY uuid",
            wanted=session.one_of(chunk),
        )
        for uuid, number, name, is_unlisted, *wrote in rows:
            yield Entry(
                uuid=uuid,
                discogs_id=number,
                name=name,
                is_curated=any(wrote),
                is_unlisted=bool(is_unlisted),
            )
