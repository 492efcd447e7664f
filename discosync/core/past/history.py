"""Past changes of listings, parsed from the history, and the values before them.

A row of the history holds field → [before, after], in the form of the run report. A listing's state
at a past moment is its present state with every later change undone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from discosync.core.inventory.listing import FieldValue
from discosync.core.past.undone import PASSED_OVER
from discosync.core.planning.changes import FieldChange, Lifecycle
from discosync.core.reporting.change_entry import fields_json, json_value

Fields = Mapping[str, list[Any]]
"""Field → [before, after], as the history holds them in JSON."""

# JSON has neither exact amounts nor times: the history holds both as text.
_DECIMALS = {"price_value", "weight"}
_MOMENTS = {"removed_at", "sold_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChange:
    """One change of one listing in the past; `run_key` is the number of its run in the database."""

    listing_id: int
    at: datetime
    run_key: int
    run_id: str
    command: str
    kind: str
    fields: tuple[FieldChange, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as `history --json` shows it."""
        return {
            "at": json_value(self.at),
            "run_id": self.run_id,
            "command": self.command,
            "kind": self.kind,
            "fields": fields_json(self.fields),
        }


def parse_fields(fields: Fields | None) -> tuple[FieldChange, ...]:
    """Parse a change's fields; raise `ValueError` for values that no run has written."""
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
    """Return, for each field that these changes of one listing touch, its value before them all."""
    before: dict[str, FieldValue] = {}
    # From the newest to the oldest, so that the oldest value is the one that stays. What another
    # program had written before a correction was never in the inventory.
    true = (change for change in changes if change.kind not in PASSED_OVER)
    for change in sorted(true, key=lambda change: change.run_key, reverse=True):
        before |= {field.field: field.before for field in change.fields}
    return before


def lifecycle_with(lifecycle: Lifecycle, values: Mapping[str, Any]) -> Lifecycle:
    """Return a lifecycle with the parts replaced that `values` names."""
    return lifecycle._replace(**{n: values[n] for n in Lifecycle._fields if n in values})
