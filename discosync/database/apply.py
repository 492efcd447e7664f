"""Write a `ChangeSet`: listings, and the history of every change. No rule is decided here."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from discosync.core.change_entry import fields_json, kind_of
from discosync.core.changes import ChangeSet, Lifecycle, Reactivated, Removed, Rewrite, Updated
from discosync.core.inventory_csv import RejectedRecord
from discosync.core.lifecycle import lifecycle_of_new
from discosync.core.listing import CONTENT_FIELDS, EXTRA_FIELDS, first_of, render_hash
from discosync.core.record_parser import VALUE_FIELDS, ParsedRecord
from discosync.database.bulk import Assignments, BulkWriter, Moment, Row, bulk_writer
from discosync.database.links import unlink_moved
from discosync.errors import StorageFailed

_ROWS_PER_BATCH = 5_000
_LARGE_LOAD = 10_000
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
    records: Iterable[ParsedRecord | RejectedRecord],
    *,
    stamp: Stamp,
    run_key: int,
) -> None:
    """Write the changes inside the caller's transaction.

    `records` is the snapshot, read once more: the plan does not hold the rows. Raises
    `StorageFailed` when a row is no longer as the plan saw it.
    """
    writer = bulk_writer(connection)
    is_large = len(changes.added) >= _LARGE_LOAD
    written = _write_missing(writer, changes.missing, stamp)
    with writer.indexing_later("listings") if is_large else nullcontext():
        written += _write_seen(writer, changes, records, stamp)
    expected = len(changes.added) + sum(1 for _ in changes.rewrites)
    if written != expected:
        raise conflict(expected - written)
    unlink_moved(connection, stamp.seller, changes.rewrites)
    with writer.indexing_later("listing_changes") if is_large else nullcontext():
        history = _history_rows(changes, stamp.seller, run_key)
        writer.insert("listing_changes", HISTORY_COLUMNS, history)


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
    now, moment = writer.moment(stamp.now), writer.moment
    rows = ((*_lifecycle_values(r.lifecycle, moment), now, *_key_values(r, stamp)) for r in missing)
    return writer.update("listings", assignments, rows)


def _write_seen(
    writer: BulkWriter,
    changes: ChangeSet,
    records: Iterable[ParsedRecord | RejectedRecord],
    stamp: Stamp,
) -> int:
    """Go through the snapshot once, inserting what is new and updating what changed."""
    added = set(changes.added)
    rewrites = {r.listing_id: r for r in changes.rewrites if _is_in_snapshot(r)}
    if not added and not rewrites:
        return 0
    layout = _Layout(writer, stamp)
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
        if not added and not rewrites:
            break
    inserts.flush()
    updates.flush()
    return inserts.written + updates.written


def _is_in_snapshot(rewrite: Rewrite) -> bool:
    return not isinstance(rewrite, Removed) or rewrite.in_snapshot


class _Layout:
    """The order of columns in the rows of one run; what the source does not show is left out."""

    def __init__(self, writer: BulkWriter, stamp: Stamp) -> None:
        self._stamp = stamp
        self._moment, self._number = writer.moment, writer.number
        content = [name for name in CONTENT_FIELDS if name in stamp.sees]
        extras = [name for name in EXTRA_FIELDS if name in stamp.sees]
        self._content = [VALUE_FIELDS.index(name) for name in content]
        self._extras = [VALUE_FIELDS.index(name) for name in extras]
        self._primary = [
            (name, VALUE_FIELDS.index(of))
            for name, (of, _) in _PRIMARY_COLUMNS.items()
            if of in stamp.sees
        ]
        shown = (*content, *(name for name, _ in self._primary), *Lifecycle._fields)
        stamped = ("content_hash", "export_timestamp", "updated_at")
        self.insert_columns = (*shown, *stamped, *extras, "seller", "listing_id", "created_at")
        self.assignments = Assignments(
            set_columns=(*shown, *stamped),
            kept_columns=tuple(extras),
            keys=_KEYS,
            nullable_keys=_NULLABLE_KEYS,
        )
        self._as_of = self._moment(stamp.as_of)
        self._now = self._moment(stamp.now)
        self._new_lifecycles: dict[str, Row] = {}

    def new_row(self, record: ParsedRecord) -> Row:
        state = self._state(record, self._new_lifecycle(record), render_hash(record.digest))
        return (*state, self._stamp.seller, str(record.listing_id), self._now)

    def _new_lifecycle(self, record: ParsedRecord) -> Row:
        known = self._new_lifecycles.get(record.status)
        if known is None:
            lifecycle = lifecycle_of_new(
                record.status, is_for_sale=record.is_for_sale, as_of=self._stamp.as_of
            )
            known = _lifecycle_values(lifecycle, self._moment)
            self._new_lifecycles[record.status] = known
        return known

    def rewritten_row(self, record: ParsedRecord, rewrite: Rewrite) -> Row:
        lifecycle = _lifecycle_values(rewrite.lifecycle, self._moment)
        state = self._state(record, lifecycle, rewrite.content_hash)
        return (*state, *_key_values(rewrite, self._stamp))

    def _state(self, record: ParsedRecord, lifecycle: Row, digest: str) -> Row:
        values = record.values.copy()
        values[_PRICE] = self._number(values[_PRICE])
        values[_WEIGHT] = self._number(values[_WEIGHT])
        values[_POSTED] = self._moment(values[_POSTED])
        values[_RELEASE] = str(values[_RELEASE])
        return (
            *[values[place] for place in self._content],
            *[_first_name(name, values[place]) for name, place in self._primary],
            *lifecycle,
            digest,
            self._as_of,
            self._now,
            *[values[place] for place in self._extras],
        )


_PRICE, _WEIGHT = VALUE_FIELDS.index("price_value"), VALUE_FIELDS.index("weight")
_POSTED, _RELEASE = VALUE_FIELDS.index("posted"), VALUE_FIELDS.index("release_id")


def primary_values(content: Mapping[str, Any]) -> Row:
    """Derive the `primary_…` columns from a row's content."""
    return [_first_name(name, content[of]) for name, (of, _) in _PRIMARY_COLUMNS.items()]


def _first_name(name: str, names: str | None) -> str | None:
    # An artist's name may hold a comma; a label's or a format's does not count for one.
    first = names if name == "primary_artist" else first_of(names)
    return first[: _PRIMARY_COLUMNS[name][1]] if first else first


def _lifecycle_values(lifecycle: Lifecycle, moment: Moment) -> Row:
    return (
        lifecycle.is_active,
        moment(lifecycle.removed_at),
        lifecycle.removal_reason,
        moment(lifecycle.sold_at),
    )


def _key_values(rewrite: Rewrite, stamp: Stamp) -> Row:
    return (stamp.seller, str(rewrite.listing_id), rewrite.expected_hash)


def _history_rows(changes: ChangeSet, seller: str, run_key: int) -> Iterator[Row]:
    """One row a change; of an added listing, whose first state nothing preceded, just that."""
    for listing_id in changes.added:
        yield (run_key, seller, str(listing_id), "added", None)
    known: Iterator[Updated | Removed | Reactivated] = chain(
        changes.updated, changes.removed, changes.reactivated
    )
    for change in known:
        fields = json.dumps(fields_json(change.fields))
        yield (run_key, seller, str(change.listing_id), kind_of(change), fields)
