"""Write a `ChangeSet`: listings, and the history of every change. No rule is decided here."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from sqlalchemy import Connection

from discosync.core.change_entry import fields_json, kind_of
from discosync.core.changes import ChangeSet, Lifecycle, Reactivated, Removed, Rewrite, Updated
from discosync.core.lifecycle import lifecycle_of_new
from discosync.core.listing import CONTENT_FIELDS, EXTRA_FIELDS, FOR_SALE, first_of, render_hash
from discosync.core.parsed import VALUE_FIELDS, ParsedBlock
from discosync.database.bulk import Assignments, BulkWriter, Moment, Row, bulk_writer
from discosync.database.links import unlink_moved
from discosync.errors import StorageFailed

_ROWS_PER_UPDATE = 5_000
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
    blocks: Iterable[ParsedBlock],
    *,
    stamp: Stamp,
    run_key: int,
) -> None:
    """Write the changes inside the caller's transaction.

    `blocks` are the snapshot, read once more: the plan does not hold the rows. Raises
    `StorageFailed` when a row is no longer as the plan saw it.
    """
    writer = bulk_writer(connection)
    is_large = len(changes.added) >= _LARGE_LOAD
    written = _write_missing(writer, changes.missing, stamp)
    with writer.indexing_later("listings") if is_large else nullcontext():
        written += _write_seen(writer, changes, blocks, stamp)
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
    writer: BulkWriter, changes: ChangeSet, blocks: Iterable[ParsedBlock], stamp: Stamp
) -> int:
    """Go through the snapshot once, inserting what is new and updating what changed."""
    added = set(changes.added)
    rewrites = {r.listing_id: r for r in changes.rewrites if _is_in_snapshot(r)}
    rewritten = set(rewrites)
    layout = _Layout(writer, stamp)
    updates: list[Row] = []
    written = 0
    for block in blocks:
        if new := _take(block, added):
            written += writer.insert("listings", layout.insert_columns, layout.new_rows(new))
        if changed := _take(block, rewritten):
            updates += layout.rewritten_rows(changed, [rewrites[i] for i in changed.ids])
        is_last = not added and not rewritten
        if updates and (is_last or len(updates) >= _ROWS_PER_UPDATE):
            written += writer.update("listings", layout.assignments, updates)
            updates = []
        if is_last:
            break
    return written


def _take(block: ParsedBlock, wanted: set[int]) -> ParsedBlock | None:
    """Pick the records of wanted listings, which then are wanted no more.

    Of equal duplicates the first is picked.
    """
    distinct = set(block.ids) & wanted
    if not distinct:
        return None
    if len(distinct) < len(block.ids):
        first_at = {i: at for at, i in reversed(list(enumerate(block.ids)))}
        block = block.pick([i in distinct and first_at[i] == at for at, i in enumerate(block.ids)])
    wanted -= distinct
    return block


def _is_in_snapshot(rewrite: Rewrite) -> bool:
    return not isinstance(rewrite, Removed) or rewrite.in_snapshot


class _Layout:
    """The order of columns in the rows of one run; what the source does not show is left out."""

    def __init__(self, writer: BulkWriter, stamp: Stamp) -> None:
        self._stamp = stamp
        self._writer = writer
        self._content = [name for name in CONTENT_FIELDS if name in stamp.sees]
        self._extras = [name for name in EXTRA_FIELDS if name in stamp.sees]
        self._primary = [name for name, (of, _) in _PRIMARY_COLUMNS.items() if of in stamp.sees]
        shown = (*self._content, *self._primary, *Lifecycle._fields)
        stamped = ("content_hash", "export_timestamp", "updated_at")
        self.insert_columns = (
            *shown,
            *stamped,
            *self._extras,
            "seller",
            "listing_id",
            "created_at",
        )
        self.assignments = Assignments(
            set_columns=(*shown, *stamped),
            kept_columns=tuple(self._extras),
            keys=_KEYS,
            nullable_keys=_NULLABLE_KEYS,
        )
        self._as_of = writer.moment(stamp.as_of)
        self._now = writer.moment(stamp.now)

    def new_rows(self, block: ParsedBlock) -> Iterable[Row]:
        """Make the rows of listings that are seen for the first time."""
        beginnings = {
            status: self._lifecycle(
                lifecycle_of_new(status, is_for_sale=status == FOR_SALE, as_of=self._stamp.as_of)
            )
            for status in set(block.statuses)
        }
        state = self._state(
            block,
            [beginnings[status] for status in block.statuses],
            list(map(render_hash, block.digests)),
        )
        return zip(*state, repeat(self._stamp.seller), map(str, block.ids), repeat(self._now))

    def rewritten_rows(self, block: ParsedBlock, rewrites: Sequence[Rewrite]) -> Iterable[Row]:
        """Make the rows of known listings; `rewrites` are in the order of the records."""
        lifecycles = [self._lifecycle(rewrite.lifecycle) for rewrite in rewrites]
        state = self._state(block, lifecycles, [rewrite.content_hash for rewrite in rewrites])
        keys = [_key_values(rewrite, self._stamp) for rewrite in rewrites]
        return zip(*state, *zip(*keys, strict=True), strict=False)

    def _lifecycle(self, lifecycle: Lifecycle) -> Row:
        return _lifecycle_values(lifecycle, self._writer.moment)

    def _state(
        self, block: ParsedBlock, lifecycles: Sequence[Row], hashes: Sequence[str]
    ) -> list[Iterable[Any]]:
        """Give the columns that say what a listing is by now."""
        column_by_field = dict(zip(VALUE_FIELDS, block.columns, strict=True))
        for name in ("price_value", "weight"):
            column_by_field[name] = list(map(self._writer.number, column_by_field[name]))
        column_by_field["posted"] = list(map(self._writer.moment, column_by_field["posted"]))
        column_by_field["release_id"] = list(map(str, column_by_field["release_id"]))
        return [
            *(column_by_field[name] for name in self._content),
            *(
                [_first_name(name, value) for value in column_by_field[_PRIMARY_COLUMNS[name][0]]]
                for name in self._primary
            ),
            *zip(*lifecycles, strict=True),
            hashes,
            repeat(self._as_of),
            repeat(self._now),
            *(column_by_field[name] for name in self._extras),
        ]


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
