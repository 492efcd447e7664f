"""Write a `ChangeSet`: listings, and the history of every change. No rule is decided here."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from discosync.core.change_entry import fields_json, kind_of
from discosync.core.changes import Added, ChangeSet, Lifecycle, Removed, Rewrite
from discosync.core.inventory_csv import RejectedRecord
from discosync.core.lifecycle import lifecycle_of_new
from discosync.core.listing import CONTENT_FIELDS, EXTRA_FIELDS, Listing, content_hash, first_of
from discosync.database.bulk import Assignments, BulkWriter, Row, bulk_writer
from discosync.database.tables import naive
from discosync.errors import StorageFailed

_ROWS_PER_BATCH = 5_000
_KEYS = ("seller", "listing_id")
_NULLABLE_KEYS = ("content_hash",)
HISTORY_COLUMNS = ("sync_run_id", "seller", "listing_id", "kind", "fields")
_PRIMARY_COLUMNS = {
    "primary_artist": ("artist_names", 255),
    "primary_label": ("label_names", 255),
    "primary_format": ("format_names", 100),
}
"""Derived column → the field it is taken from, and how much it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every written row says about its run; `sees` are the fields the source shows."""

    seller: str
    as_of: datetime
    now: datetime
    sees: frozenset[str]


def apply_changes(
    connection: Connection,
    changes: ChangeSet,
    records: Iterable[Listing | RejectedRecord],
    *,
    stamp: Stamp,
    run_key: int,
) -> None:
    """Write the changes inside the caller's transaction.

    `records` is the snapshot, read once more: the plan does not hold the rows. Raises
    `StorageFailed` when a row is no longer as the plan saw it.
    """
    writer = bulk_writer(connection)
    written = _write_missing(writer, changes.missing, stamp)
    written += _write_seen(writer, changes, records, stamp)
    expected = len(changes.added) + sum(1 for _ in changes.rewrites)
    if written != expected:
        raise conflict(expected - written)
    writer.insert(
        "listing_changes",
        HISTORY_COLUMNS,
        _history_rows(changes, stamp.seller, run_key),
    )


def conflict(count: int) -> StorageFailed:
    """Say that rows are no longer as a plan saw them."""
    return StorageFailed(
        f"another program changed {count:,} listings while this run was planning",
        hint="nothing was changed; run again",
        code="conflict",
    )


class _Batch:
    """Collects rows and writes them a few thousand at a time."""

    def __init__(self, write: Callable[[list[Row]], int]) -> None:
        self._write = write
        self._rows: list[Row] = []
        self.written = 0

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= _ROWS_PER_BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self.written += self._write(self._rows)
            self._rows = []


def _write_missing(writer: BulkWriter, missing: tuple[Removed, ...], stamp: Stamp) -> int:
    if not missing:
        return 0
    assignments = Assignments(
        set_columns=(*Lifecycle._fields, "updated_at"), keys=_KEYS, nullable_keys=_NULLABLE_KEYS
    )
    rows = (
        (*_lifecycle_values(r.lifecycle), naive(stamp.now), *_key_values(r, stamp)) for r in missing
    )
    return writer.update("listings", assignments, rows)


def _write_seen(
    writer: BulkWriter,
    changes: ChangeSet,
    records: Iterable[Listing | RejectedRecord],
    stamp: Stamp,
) -> int:
    """Go through the snapshot once, inserting what is new and updating what changed."""
    added = set(changes.added)
    rewrites = {r.listing_id: r for r in changes.rewrites if _is_in_snapshot(r)}
    if not added and not rewrites:
        return 0
    layout = _Layout(stamp)
    inserts = _Batch(lambda rows: writer.insert("listings", layout.insert_columns, rows))
    updates = _Batch(lambda rows: writer.update("listings", layout.assignments, rows))
    for record in records:
        if isinstance(record, RejectedRecord):
            continue
        if record.listing_id in added:
            added.remove(record.listing_id)  # an equal duplicate further down is no second row
            inserts.add(layout.new_row(record))
        elif (rewrite := rewrites.pop(record.listing_id, None)) is not None:
            updates.add(layout.rewritten_row(record, rewrite))
    inserts.flush()
    updates.flush()
    return inserts.written + updates.written


def _is_in_snapshot(rewrite: Rewrite) -> bool:
    return not isinstance(rewrite, Removed) or rewrite.in_snapshot


class _Layout:
    """The order of columns in the rows of one run."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._content = [name for name in CONTENT_FIELDS if name in stamp.sees]
        self._primary = [name for name, (of, _) in _PRIMARY_COLUMNS.items() if of in stamp.sees]
        shown = (*self._content, *self._primary, *Lifecycle._fields)
        stamped = ("content_hash", "export_timestamp", "updated_at")
        self.insert_columns = (
            *shown,
            *stamped,
            *EXTRA_FIELDS,
            "seller",
            "listing_id",
            "created_at",
        )
        self.assignments = Assignments(
            set_columns=(*shown, *stamped),
            kept_columns=EXTRA_FIELDS,
            keys=_KEYS,
            nullable_keys=_NULLABLE_KEYS,
        )
        self._as_of, self._now = naive(stamp.as_of), naive(stamp.now)

    def new_row(self, listing: Listing) -> Row:
        stamp = self._stamp
        lifecycle = lifecycle_of_new(
            listing.status, is_for_sale=listing.is_for_sale, as_of=stamp.as_of
        )
        state = self._state(listing, lifecycle, content_hash(listing))
        return (*state, stamp.seller, str(listing.listing_id), self._now)

    def rewritten_row(self, listing: Listing, rewrite: Rewrite) -> Row:
        state = self._state(listing, rewrite.lifecycle, rewrite.content_hash)
        return (*state, *_key_values(rewrite, self._stamp))

    def _state(self, listing: Listing, lifecycle: Lifecycle, digest: str) -> Row:
        return (
            *[_column_value(listing, name) for name in self._content],
            *[_primary_value(listing, name) for name in self._primary],
            *_lifecycle_values(lifecycle),
            digest,
            self._as_of,
            self._now,
            *[_column_value(listing, name) for name in EXTRA_FIELDS],
        )


def _column_value(listing: Listing, name: str) -> Any:  # noqa: ANN401 - whatever a column holds
    value = getattr(listing, name)
    if name == "posted":
        return naive(value)
    return str(value) if name == "release_id" else value


def _primary_value(listing: Listing, name: str) -> str | None:
    return _first_name(name, getattr(listing, _PRIMARY_COLUMNS[name][0]))


def primary_values(content: Mapping[str, Any]) -> Row:
    """Derive the `primary_…` columns from a row's content."""
    return [_first_name(name, content[of]) for name, (of, _) in _PRIMARY_COLUMNS.items()]


def _first_name(name: str, names: str | None) -> str | None:
    # An artist's name may hold a comma; a label's or a format's does not count for one.
    first = names if name == "primary_artist" else first_of(names)
    return first[: _PRIMARY_COLUMNS[name][1]] if first else first


def _lifecycle_values(lifecycle: Lifecycle) -> Row:
    return (
        lifecycle.is_active,
        naive(lifecycle.removed_at),
        lifecycle.removal_reason,
        naive(lifecycle.sold_at),
    )


def _key_values(rewrite: Rewrite, stamp: Stamp) -> Row:
    return (stamp.seller, str(rewrite.listing_id), rewrite.expected_hash)


def _history_rows(changes: ChangeSet, seller: str, run_key: int) -> Iterator[Row]:
    """One row a change; of an added listing, whose first state nothing preceded, just that."""
    for change in changes.changes:
        kind, listing_id = kind_of(change), str(change.listing_id)
        if isinstance(change, Added):
            yield (run_key, seller, listing_id, kind, None)
        else:
            yield (run_key, seller, listing_id, kind, json.dumps(fields_json(change.fields)))
