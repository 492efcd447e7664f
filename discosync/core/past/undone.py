"""What a stretch of history replaced: fed with changes, put together, packed and unpacked.

The inventory at a past moment is the present one with this put back. Of each field of each
listing only the oldest value counts, so stretches are put together newest first, and an older one
overwrites. They are kept by field, and packed in the order of the listings' numbers: a year of
stretches is then put together in tenths of a second, where its changes are millions.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

BEGINNINGS = frozenset({"added"})
"""Kinds of change before which a listing was not known: the first of its history, or not in it."""

_NAME_ENDS = '": ['


class Undone:
    """What every change of a stretch replaced, by field and listing.

    `unknown` are listings that were first seen in it; `changes_read` counts the rows of the
    history that were gone through, as opposed to what came packed.
    """

    def __init__(self) -> None:
        self.before: dict[str, dict[int, Any]] = {}
        self.unknown: set[int] = set()
        self.changes_read = 0

    def undo(self, changes: Sequence[tuple[int, str, str | None]]) -> None:
        """Undo changes, oldest first: listing, kind, and fields as the history's JSON.

        Most changes are of one field, and most of those follow an earlier one of that field: its
        name is all that is read of them.
        """
        before, loads = self.before, json.loads
        self.changes_read += len(changes)
        for listing_id, kind, fields in changes:
            if kind in BEGINNINGS:
                self.unknown.add(listing_id)
            if fields:
                name, _, rest = fields.partition(_NAME_ENDS)
                if listing_id in before.get(name[2:], ()) and _NAME_ENDS not in rest:
                    continue
                for field, (old, _) in loads(fields).items():
                    before.setdefault(field, {}).setdefault(listing_id, old)

    def precede(self, older: "Undone") -> None:
        """Put an older stretch before this one: where both know a value, the older one's counts."""
        for field, values in older.before.items():
            self.before.setdefault(field, {}).update(values)
        self.unknown |= older.unknown
        self.changes_read += older.changes_read

    def precede_packed(self, packed: bytes) -> None:
        """Put a packed older stretch before this one; raise `ValueError` for what is none."""
        try:
            held = json.loads(zlib.decompress(packed))
            for field, (steps, values, choices) in held["before"].items():
                own = self.before.setdefault(field, {})
                own.update(zip(accumulate(steps), map(values.__getitem__, choices), strict=True))
            self.unknown.update(accumulate(held["unknown"]))
        except (zlib.error, LookupError, TypeError) as exc:
            raise ValueError(f"no checkpoint: {exc}") from exc

    def forget(self, listing_ids: Iterable[int]) -> None:
        """Leave listings out, as if they had no history."""
        for listing_id in listing_ids:
            self.unknown.discard(listing_id)
            for values in self.before.values():
                values.pop(listing_id, None)

    def apply_to(self, listing_id: int, state: dict[str, Any]) -> bool:
        """Take a listing's present state back, in place; whether it was known then."""
        if listing_id in self.unknown:
            return False
        for field, values in self.before.items():
            if listing_id in values:
                state[field] = values[listing_id]
        return True

    def pack(self) -> bytes:
        """Write it as compressed JSON: a few bytes a value."""
        held = {
            "before": {field: _pack_column(values) for field, values in self.before.items()},
            "unknown": list(_steps(sorted(self.unknown))),
        }
        return zlib.compress(json.dumps(held, separators=(",", ":")).encode())


def _pack_column(values: dict[int, Any]) -> list[list[Any]]:
    """Write one field: the steps from listing to listing, the distinct values, which is whose."""
    listing_ids = sorted(values)
    # By type too: to Python, 1 and True are one key.
    choice_by_value: dict[tuple[type, Any], int] = {}
    choices = [
        choice_by_value.setdefault((type(value), value), len(choice_by_value))
        for value in map(values.get, listing_ids)
    ]
    return [list(_steps(listing_ids)), [value for _, value in choice_by_value], choices]


def _steps(numbers: Sequence[int]) -> Iterator[int]:
    """Write rising numbers as the first one and the differences, which are small."""
    yield from numbers[:1]
    for before, number in pairwise(numbers):
        yield number - before
