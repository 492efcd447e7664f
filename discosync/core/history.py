"""The past of listings: what each change did, read from the history, and how to undo it.

A row of the history holds field → [before, after] in the report's form. A listing's state at a
past moment is what the database holds now, with every later change undone.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from discosync.core.change_entry import fields_json, json_value
from discosync.core.changes import FieldChange, Lifecycle
from discosync.core.listing import FieldValue

Fields = Mapping[str, list[Any]]
"""Field → [before, after], as the history holds it."""

_DECIMALS = {"price_value", "weight"}
_MOMENTS = {"removed_at", "sold_at"}

BEGINNINGS = frozenset({"added"})
"""Kinds of change before which a listing was not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChange:
    """One change of one listing, as the history tells it."""

    listing_id: int
    at: datetime
    run_key: int
    run_id: str
    command: str
    kind: str
    fields: tuple[FieldChange, ...]

    def to_json(self) -> dict[str, Any]:
        """Give it as `history --json` does."""
        return {
            "at": json_value(self.at),
            "run_id": self.run_id,
            "command": self.command,
            "kind": self.kind,
            "fields": fields_json(self.fields),
        }


def parse_fields(fields: Fields | None) -> tuple[FieldChange, ...]:
    """Read a change's fields; raise `ValueError` for what no run has written."""
    return tuple(
        FieldChange(name, _parse(name, before), _parse(name, after))
        for name, (before, after) in (fields or {}).items()
    )


def _parse(name: str, value: Any) -> FieldValue:  # noqa: ANN401 - whatever JSON holds
    if value is None or not isinstance(value, str | int | bool):
        return None
    if name in _DECIMALS:
        return Decimal(str(value))
    if name in _MOMENTS:
        return datetime.fromisoformat(str(value))
    return value


class Undone:
    """What every change since a moment replaced: fed oldest first, the first one counts.

    `unknown` are listings that were first seen later.
    """

    def __init__(self) -> None:
        self.before: dict[str, dict[str, Any]] = {}
        self.unknown: set[str] = set()

    def undo(self, changes: Iterable[tuple[str, str, str | None]]) -> None:
        """Undo changes, oldest first: listing, kind, and fields as the history's JSON.

        A year is some millions of changes. Most are of one field, and most of those follow an
        earlier one of that field: its name is all that is read of them.
        """
        before, unknown, loads = self.before, self.unknown, json.loads
        for listing_id, kind, fields in changes:
            values = before.get(listing_id)
            if values is None:
                values = before[listing_id] = {}
                if kind in BEGINNINGS:
                    unknown.add(listing_id)
            if fields:
                name, _, rest = fields.partition(_NAME_ENDS)
                if name in values and _NAME_ENDS not in rest:
                    continue
                for field, (old, _) in loads(fields).items():
                    values.setdefault('{"' + field, old)

    def apply_to(self, listing_id: str, state: dict[str, Any]) -> bool:
        """Take a listing's present state back, in place; whether it was known then."""
        if listing_id in self.unknown:
            return False
        for name, value in self.before.get(listing_id, {}).items():
            state[name[2:]] = value
        return True


_NAME_ENDS = '": ['


def values_before(changes: Iterable[PastChange]) -> dict[str, FieldValue]:
    """Say what each touched field of one listing was before all of these changes."""
    before: dict[str, FieldValue] = {}
    for change in sorted(changes, key=lambda change: change.run_key, reverse=True):
        before |= {field.field: field.before for field in change.fields}
    return before


def lifecycle_with(lifecycle: Lifecycle, values: Mapping[str, Any]) -> Lifecycle:
    """Replace the parts of a lifecycle that `values` names."""
    return lifecycle._replace(**{n: values[n] for n in Lifecycle._fields if n in values})
