"""Thinning: the changes of a listing within a month become one change between two turns.

Consecutive `updated` changes of a listing become one of kind `merged`. It holds, for each field,
the value before the first and after the last of them, and belongs to the last one's run. Changes
that cancel out are dropped. Every other kind (added, removed, reactivated, restored …) is a turn:
it stays as it is, and nothing is merged across it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MERGED = "merged"
"""The kind of a change that stands for several; it says nothing about one run alone."""

THINNED_KINDS = frozenset({"updated", MERGED})

HistoryRow = tuple[int, int, str, str | None]
"""Number of the row, listing id, kind of change, and its fields as JSON."""

Ends = Mapping[tuple[int, int], Mapping[str, tuple[Any, Any]]]
"""Listing id and number of its last turn → field → value at first, value at last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """The outcome of thinning: rows to delete, and rows with their new fields as JSON."""

    rows_before: int
    gone: Sequence[int]
    rewritten: Sequence[tuple[int, str]]

    @property
    def rows_after(self) -> int:
        """How many rows are left afterwards."""
        return self.rows_before - len(self.gone)


@dataclass(slots=True)
class _Group:
    """Consecutive changes of one listing; the fields are parsed when a second change comes."""

    row: int
    text: str | None
    merged: dict[str, list[Any]] | None = None


@dataclass(slots=True)
class Thinning:
    """Thins one month; takes its changes in the order of their runs."""

    _rows: int = 0
    _open: dict[int, _Group] = field(default_factory=dict)
    _gone: list[int] = field(default_factory=list)
    _rewritten: list[tuple[int, str]] = field(default_factory=list)

    def feed(self, rows: Sequence[HistoryRow]) -> None:
        """Take the next changes."""
        self._rows += len(rows)
        for row, listing_id, kind, text in rows:
            group = self._open.get(listing_id)
            # A turn: nothing is merged across it.
            if kind not in THINNED_KINDS:
                if group is not None:
                    self._close(self._open.pop(listing_id))
            elif group is None:
                self._open[listing_id] = _Group(row, text)
            # The newest row stays, so that the merged change belongs to the last run.
            else:
                self._gone.append(group.row)
                if group.merged is None:
                    group.merged = _fields(group.text)
                _merge(group.merged, _fields(text))
                group.row = row

    def finish(self) -> Thinned:
        """Return what to delete and what to rewrite."""
        for group in self._open.values():
            self._close(group)
        self._open.clear()
        return Thinned(rows_before=self._rows, gone=self._gone, rewritten=self._rewritten)

    def _close(self, group: _Group) -> None:
        if group.merged is None:
            return
        # Changes that cancel out leave nothing: the row is deleted.
        left = {name: ends for name, ends in group.merged.items() if ends[0] != ends[1]}
        if left:
            self._rewritten.append((group.row, json.dumps(left)))
        else:
            self._gone.append(group.row)


def _fields(text: str | None) -> dict[str, list[Any]]:
    return json.loads(text) if text else {}


def _merge(merged: dict[str, list[Any]], later: Mapping[str, list[Any]]) -> None:
    for name, (before, after) in later.items():
        if name in merged:
            merged[name][1] = after
        else:
            merged[name] = [before, after]


@dataclass(slots=True)
class ThinningCheck:
    """What thinning must not change; taken before and after thinning, and compared.

    It is independent of how changes are merged: it notes every turn, and for each field the first
    and the last value between two turns.
    """

    turns: list[tuple[int, int, str, str | None]] = field(default_factory=list)
    _turns_of: dict[int, int] = field(default_factory=dict)
    _ends: dict[tuple[int, int], dict[str, tuple[Any, Any]]] = field(default_factory=dict)

    def feed(self, rows: Iterable[HistoryRow]) -> None:
        """Take the next changes."""
        for row, listing_id, kind, text in rows:
            turn = self._turns_of.get(listing_id, 0)
            if kind not in THINNED_KINDS:
                self.turns.append((row, listing_id, kind, text))
                self._turns_of[listing_id] = turn + 1
                continue
            ends = self._ends.setdefault((listing_id, turn), {})
            for name, (before, after) in _fields(text).items():
                ends[name] = (ends[name][0] if name in ends else before, after)

    @property
    def ends(self) -> Ends:
        """The first and last value of each field between two turns, where they differ."""
        moved = {
            key: {name: pair for name, pair in ends.items() if pair[0] != pair[1]}
            for key, ends in self._ends.items()
        }
        return {key: ends for key, ends in moved.items() if ends}
