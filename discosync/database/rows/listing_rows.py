"""The rows of the table `listings`, made of parsed records column by column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    FOR_SALE,
    first_of,
    render_hash,
)
from discosync.core.inventory.parsed import SLOT_BY_FIELD, VALUE_FIELDS, ParsedBlock
from discosync.core.planning.changes import INDEXED_COLUMNS, Lifecycle, Removed, Rewrite
from discosync.core.planning.lifecycle import lifecycle_of_new
from discosync.database.connection.bulk import Assignments, BulkWriter, Row

_KEYS = ("seller", "listing_id")
_NULLABLE_KEYS = ("content_hash",)
_STAMPED = ("content_hash", "export_timestamp", "updated_at")
PRIMARY_COLUMNS = {
    "primary_artist": ("artist_names", 255),
    "primary_label": ("label_names", 255),
    "primary_format": ("format_names", 100),
}
"""Derived column → the field it is taken from, and the most letters that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every written row says about its run; `sees` are the fields the source shows."""

    seller: str
    as_of: datetime
    now: datetime
    sees: frozenset[str]


class RowLayout:
    """The order of columns in the rows of one run; what the source does not show is left out."""

    def __init__(self, writer: BulkWriter, stamp: Stamp) -> None:
        self._stamp = stamp
        self._writer = writer
        self._as_of = writer.moment(stamp.as_of)
        self._now = writer.moment(stamp.now)
        self._extras = tuple(name for name in EXTRA_FIELDS if name in stamp.sees)
        content = [name for name in CONTENT_FIELDS if name in stamp.sees]
        self._primary = [name for name, (of, _) in PRIMARY_COLUMNS.items() if of in stamp.sees]
        self._shown = (*content, *Lifecycle._fields, *_STAMPED)
        self.new_columns = (*self._shown, *self._primary, *self._extras, *_KEYS, "created_at")

    def assignments(self, *, keeps_indexed: bool) -> Assignments:
        """Say what is written to known listings that their records show."""
        left_out = INDEXED_COLUMNS if keeps_indexed else ()
        return Assignments(
            set_columns=tuple(name for name in self._shown if name not in left_out),
            kept_columns=self._extras,
            derived_columns=tuple(self._primary),
            keys=_KEYS,
            nullable_keys=_NULLABLE_KEYS,
        )

    @property
    def lifecycle_assignments(self) -> Assignments:
        """Say what is written to known listings that no record shows."""
        columns = (*Lifecycle._fields, "updated_at")
        return Assignments(set_columns=columns, keys=_KEYS, nullable_keys=_NULLABLE_KEYS)

    @property
    def status_assignments(self) -> Assignments:
        """Say what is written to known listings of which a look-up shows the status alone."""
        columns = (*Lifecycle._fields, "updated_at", "status", "content_hash")
        return Assignments(set_columns=columns, keys=_KEYS, nullable_keys=_NULLABLE_KEYS)

    def new_rows(self, block: ParsedBlock) -> Iterable[Row]:
        """Make the rows of listings that are seen for the first time."""
        beginnings = {
            status: lifecycle_of_new(
                status, is_for_sale=status == FOR_SALE, as_of=self._stamp.as_of
            )
            for status in set(block.statuses)
        }
        columns = {
            **self._columns(block),
            **self._lifecycles([beginnings[status] for status in block.statuses]),
            "content_hash": list(map(render_hash, block.digests)),
            "seller": repeat(self._stamp.seller),
            "listing_id": map(str, block.ids),
            "created_at": repeat(self._now),
        }
        return zip(*(columns[name] for name in self.new_columns), strict=False)

    def rewritten_rows(
        self, block: ParsedBlock, rewrites: Sequence[Rewrite], *, keeps_indexed: bool
    ) -> Iterable[Row]:
        """Make the rows of known listings; `rewrites` are in the order of the records."""
        columns = {
            **self._columns(block),
            **self._lifecycles([rewrite.lifecycle for rewrite in rewrites]),
            "content_hash": [rewrite.content_hash for rewrite in rewrites],
        }
        assigned = self.assignments(keeps_indexed=keeps_indexed)
        values = [columns[name] for name in (*assigned.set_columns, *assigned.kept_columns)]
        for name in self._primary:
            columns[name] = list(columns[name])
            values.append(changed_only(name, columns[name], rewrites))
        values += [columns[name] for name in self._primary]
        return zip(*values, *self._keys(rewrites), strict=False)

    def missing_rows(self, rewrites: Sequence[Rewrite]) -> Iterable[Row]:
        """Make the rows of known listings that no record shows."""
        lifecycles = self._lifecycles([rewrite.lifecycle for rewrite in rewrites])
        return zip(*lifecycles.values(), repeat(self._now), *self._keys(rewrites), strict=False)

    def shown_rows(self, removed: Sequence[Removed]) -> Iterable[Row]:
        """Make the rows of known listings of which a look-up shows the status alone."""
        lifecycles = self._lifecycles([each.lifecycle for each in removed])
        statuses = [each.shown_status for each in removed]
        hashes = [each.content_hash for each in removed]
        values = (*lifecycles.values(), repeat(self._now), statuses, hashes)
        return zip(*values, *self._keys(removed), strict=False)

    def _keys(self, rewrites: Sequence[Rewrite]) -> Iterable[Iterable[Any]]:
        listing_ids = [str(rewrite.listing_id) for rewrite in rewrites]
        return repeat(self._stamp.seller), listing_ids, [r.expected_hash for r in rewrites]

    def _lifecycles(self, lifecycles: Sequence[Lifecycle]) -> dict[str, Iterable[Any]]:
        rows = {lifecycle: self._lifecycle(lifecycle) for lifecycle in set(lifecycles)}
        columns = zip(*map(rows.__getitem__, lifecycles), strict=True)
        return dict(zip(Lifecycle._fields, columns, strict=True))

    def _lifecycle(self, lifecycle: Lifecycle) -> Row:
        moment = self._writer.moment
        return (
            int(lifecycle.is_active),  # which both drivers take more readily than a bool
            moment(lifecycle.removed_at),
            lifecycle.removal_reason,
            moment(lifecycle.sold_at),
        )

    def _columns(self, block: ParsedBlock) -> dict[str, Iterable[Any]]:
        """Give the columns that a listing's record fills alone."""
        columns: dict[str, Iterable[Any]] = dict(zip(VALUE_FIELDS, block.columns, strict=True))
        for name in self._primary:
            names = block.columns[SLOT_BY_FIELD[PRIMARY_COLUMNS[name][0]]]
            first_by_names = {each: _first_name(name, each) for each in set(names)}
            columns[name] = map(first_by_names.__getitem__, names)
        for name in ("price_value", "weight"):
            columns[name] = list(map(self._writer.number, columns[name]))
        columns["posted"] = list(map(self._writer.moment, columns["posted"]))
        columns["release_id"] = list(map(str, columns["release_id"]))
        columns["export_timestamp"] = repeat(self._as_of)
        columns["updated_at"] = repeat(self._now)
        return columns


def changed_only(name: str, values: Iterable[Any], rewrites: Sequence[Rewrite]) -> list[str | None]:
    """Leave the values of a `primary_…` column out where its names stay as they are.

    A shop that was adopted may have filled it by another rule, and that is no difference.
    """
    source = PRIMARY_COLUMNS[name][0]
    return [
        value if any(change.field == source for change in rewrite.fields) else None
        for value, rewrite in zip(values, rewrites, strict=True)
    ]


def primary_values(content: Mapping[str, Any]) -> Row:
    """Derive the `primary_…` columns from a row's content."""
    return [_first_name(name, content[of]) for name, (of, _) in PRIMARY_COLUMNS.items()]


def _first_name(name: str, names: str | None) -> str | None:
    # A comma may be part of an artist's name; in labels and formats it separates.
    first = names if name == "primary_artist" else first_of(names)
    return first[: PRIMARY_COLUMNS[name][1]] if first else first
