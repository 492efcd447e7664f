"""The values that a stretch of history replaced: collected, put together, packed and unpacked.

The inventory at a past moment is the present one with these values put back. For each field of a
listing only the oldest value counts. So stretches are put together from the newest to the oldest,
and an older one overwrites. Values are kept by field and packed in the order of the listings' ids:
so a year of millions of changes is put together in tenths of a second.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

BEGINNINGS = frozenset({"added"})
"""Kinds of change before which the database did not hold the listing."""

PASSED_OVER = frozenset({"corrected"})
"""Kinds of change that put a true value back: the wrong one before was never in the inventory."""

_NAME_ENDS = '": ['
"""What stands behind a field's name in the JSON of a change."""


class Undone:
    """The values that the changes of a stretch replaced: field → listing id → oldest value.

    `unknown` are the listings first seen in the stretch. `changes_read` counts the rows of the
    history that were read; packed stretches do not count.
    """

    def __init__(self) -> None:
        self.before: dict[str, dict[int, Any]] = {}
        self.unknown: set[int] = set()
        self.changes_read = 0

    def undo(self, changes: Sequence[tuple[int, str, str | None]]) -> None:
        """Take changes, oldest first, each as listing id, kind, and fields in JSON."""
        # Most changes have one field, and most of these follow an earlier change of the same field.
        # Only the oldest value counts, so the name is enough: parsing JSON is what costs time.
        before, loads = self.before, json.loads
        self.changes_read += len(changes)
        for listing_id, kind, fields in changes:
            if kind in BEGINNINGS:
                self.unknown.add(listing_id)
            if fields and kind not in PASSED_OVER:
                name, _, rest = fields.partition(_NAME_ENDS)
                if listing_id in before.get(name[2:], ()) and _NAME_ENDS not in rest:
                    continue
                for field, (old, _) in loads(fields).items():
                    before.setdefault(field, {}).setdefault(listing_id, old)

    def precede(self, older: "Undone") -> None:
        """Add an older stretch; where both have a value, the older one counts."""
        for field, values in older.before.items():
            self.before.setdefault(field, {}).update(values)
        self.unknown |= older.unknown
        self.changes_read += older.changes_read

    def precede_packed(self, packed: bytes) -> None:
        """Add an older stretch that `pack` has packed; raise `ValueError` for any other bytes."""
        try:
            held = json.loads(zlib.decompress(packed))
            for field, (steps, values, choices) in held["before"].items():
                own = self.before.setdefault(field, {})
                own.update(zip(accumulate(steps), map(values.__getitem__, choices), strict=True))
            self.unknown.update(accumulate(held["unknown"]))
        except (zlib.error, LookupError, TypeError) as exc:
            raise ValueError(f"no checkpoint: {exc}") from exc

    def forget(self, listing_ids: Iterable[int]) -> None:
        """Drop listings, as if they had no history."""
        for listing_id in listing_ids:
            self.unknown.discard(listing_id)
            for values in self.before.values():
                values.pop(listing_id, None)

    def apply_to(self, listing_id: int, state: dict[str, Any]) -> bool:
        """Put old values into a listing's state, in place; return whether it was known then."""
        if listing_id in self.unknown:
            return False
        for field, values in self.before.items():
            if listing_id in values:
                state[field] = values[listing_id]
        return True

    def pack(self) -> bytes:
        """Return it as compressed JSON, a few bytes a value."""
        held = {
            "before": {field: _pack_column(values) for field, values in self.before.items()},
            "unknown": list(_steps(sorted(self.unknown))),
        }
        return zlib.compress(json.dumps(held, separators=(",", ":")).encode())


def _pack_column(values: dict[int, Any]) -> list[list[Any]]:
    """Pack a field: the steps between listing ids, the distinct values, and each id's choice."""
    listing_ids = sorted(values)
    # By type too: to Python, 1 and True are one key.
    choice_by_value: dict[tuple[type, Any], int] = {}
    choices = [
        choice_by_value.setdefault((type(value), value), len(choice_by_value))
        for value in map(values.get, listing_ids)
    ]
    return [list(_steps(listing_ids)), [value for _, value in choice_by_value], choices]


def _steps(numbers: Sequence[int]) -> Iterator[int]:
    """Yield the first of rising numbers, then the differences, which are small and pack well."""
    yield from numbers[:1]
    for before, number in pairwise(numbers):
        yield number - before
