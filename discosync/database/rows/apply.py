"""Write a `ChangeSet`: the listings, and the history of every change. Nothing is decided here."""

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain, compress, repeat

from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.planning.changes import ChangeSet, Corrected, Removed, Rewrite
from discosync.core.reporting.change_entry import fields_json, kind_of
from discosync.database.connection.bulk import BulkWriter, Row, bulk_writer
from discosync.database.connection.session import Session
from discosync.database.rows.checked import write_corrected
from discosync.database.rows.listing_rows import RowLayout, Stamp
from discosync.database.rows.unlinking import unlink_moved
from discosync.errors import StorageFailed

_ROWS_PER_UPDATE = 5_000
_LARGE_LOAD = 10_000
HISTORY_COLUMNS = ("sync_run_id", "seller", "listing_id", "kind", "fields")


def apply_changes(
    session: Session,
    changes: ChangeSet,
    blocks: Iterable[ParsedBlock],
    *,
    stamp: Stamp,
    run_key: int,
) -> None:
    """Write the changes inside the caller's transaction.

    `blocks` hold the records that the plan may write, each once: the plan itself does not hold
    them. Raises `StorageFailed` when a row is no longer as the plan saw it.
    """
    writer = bulk_writer(session)
    is_large = len(changes.added) >= _LARGE_LOAD
    written = _write_missing(writer, changes.missing, stamp)
    written += write_corrected(writer, changes.corrected, seller=stamp.seller, now=stamp.now)
    with writer.indexing_later("listings") if is_large else nullcontext():
        written += _write_seen(writer, changes, blocks, stamp)
    if written != changes.to_write:
        raise conflict(changes.to_write - written)
    unlink_moved(session, stamp.seller, changes.rewrites)
    with writer.indexing_later("listing_changes") if is_large else nullcontext():
        _write_history(writer, changes, stamp.seller, run_key)


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
    layout = RowLayout(writer, stamp)
    shown = [removed for removed in missing if removed.shown_status is not None]
    unseen = [removed for removed in missing if removed.shown_status is None]
    written = 0
    if unseen:
        rows = layout.missing_rows(unseen)
        written += writer.update("listings", layout.lifecycle_assignments, rows)
    if shown:
        rows = layout.shown_rows(shown)
        written += writer.update("listings", layout.status_assignments, rows)
    return written


def _write_seen(
    writer: BulkWriter, changes: ChangeSet, blocks: Iterable[ParsedBlock], stamp: Stamp
) -> int:
    """Go through the records once, inserting what is new and updating what changed."""
    added = set(changes.added)
    rewrites = {r.listing_id: r for r in changes.rewrites if _is_in_snapshot(r)}
    layout = RowLayout(writer, stamp)
    if not rewrites:
        # One `insert` of all: on Postgres client and server then work at the same time.
        new = filter(None, (_take(block, added) for block in blocks))
        all_rows = chain.from_iterable(map(layout.new_rows, new))
        return writer.insert("listings", layout.new_columns, all_rows)
    updates = [_Updates(writer, layout, keeps_indexed=keeps) for keeps in (False, True)]
    written = 0
    for block in blocks:
        if added_block := _take(block, added):
            rows = layout.new_rows(added_block)
            written += writer.insert("listings", layout.new_columns, rows)
        if changed := _take(block, rewrites):
            for update in updates:
                update.add(changed, [rewrites[i] for i in changed.ids])
    return written + sum(update.finish() for update in updates)


class _Updates:
    """Collects rows that are written alike, and writes some thousand at a time."""

    def __init__(self, writer: BulkWriter, layout: RowLayout, *, keeps_indexed: bool) -> None:
        self._writer = writer
        self._layout = layout
        self._keeps_indexed = keeps_indexed
        self._rows: list[Row] = []
        self._written = 0

    def add(self, block: ParsedBlock, rewrites: Sequence[Rewrite]) -> None:
        """Take the rows of a block that are written in this way."""
        own = [rewrite.keeps_indexed == self._keeps_indexed for rewrite in rewrites]
        if any(own):
            chosen = list(compress(rewrites, own))
            self._rows += self._layout.rewritten_rows(
                block.pick(own), chosen, keeps_indexed=self._keeps_indexed
            )
        if len(self._rows) >= _ROWS_PER_UPDATE:
            self._write()

    def finish(self) -> int:
        """Write the rest; say how many rows were written in all."""
        if self._rows:
            self._write()
        return self._written

    def _write(self) -> None:
        assignments = self._layout.assignments(keeps_indexed=self._keeps_indexed)
        self._written += self._writer.update("listings", assignments, self._rows)
        self._rows = []


def _take(block: ParsedBlock, wanted: Container[int]) -> ParsedBlock | None:
    """Pick the records of wanted listings."""
    are_wanted = list(map(wanted.__contains__, block.ids))
    if all(are_wanted):
        return block
    return block.pick(are_wanted) if any(are_wanted) else None


def _is_in_snapshot(rewrite: Rewrite) -> bool:
    match rewrite:
        case Removed():
            return rewrite.in_snapshot
        case Corrected():  # it is written by itself, whatever shows its values
            return False
    return True


def _write_history(writer: BulkWriter, changes: ChangeSet, seller: str, run_key: int) -> None:
    """Write a row for each change; an added listing has no earlier values to keep."""
    added = zip(
        repeat(run_key), repeat(seller), map(str, changes.added), repeat("added"), strict=False
    )
    writer.insert("listing_changes", HISTORY_COLUMNS[:-1], added)
    if any(changes.of_known):
        rows = history_rows(changes, seller, run_key)
        writer.insert("listing_changes", HISTORY_COLUMNS, rows)


def history_rows(changes: ChangeSet, seller: str, run_key: int) -> Iterator[Row]:
    """Make the rows of the history for changes of known listings."""
    for change in changes.of_known:
        fields = json.dumps(fields_json(change.fields))
        yield run_key, seller, str(change.listing_id), kind_of(change), fields
