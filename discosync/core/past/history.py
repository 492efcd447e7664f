"""The past of listings: what each change did, read from the history, and how to undo it.

A row of the history holds field → [before, after] in the report's form. A listing's state at a
past moment is what the database holds now, with every later change undone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from discosync.core.inventory.listing import FieldValue
from discosync.core.planning.changes import FieldChange, Lifecycle
from discosync.core.reporting.change_entry import fields_json, json_value

Fields = Mapping[str, list[Any]]
"""Field → [before, after], as the history holds it."""

_DECIMALS = {"price_value", "weight"}
_MOMENTS = {"removed_at", "sold_at"}


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


def values_before(changes: Iterable[PastChange]) -> dict[str, FieldValue]:
    """Say what each touched field of one listing was before all of these changes."""
    before: dict[str, FieldValue] = {}
    for change in sorted(changes, key=lambda change: change.run_key, reverse=True):
        before |= {field.field: field.before for field in change.fields}
    return before


def lifecycle_with(lifecycle: Lifecycle, values: Mapping[str, Any]) -> Lifecycle:
    """Replace the parts of a lifecycle that `values` names."""
    return lifecycle._replace(**{n: values[n] for n in Lifecycle._fields if n in values})
