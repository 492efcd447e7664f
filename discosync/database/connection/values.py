"""Between what the columns hold and the types of our fields."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, overload

from discosync.core.inventory.listing import FieldValue

_CENT = Decimal("0.01")

ROW_FAULTS = (ValueError, TypeError, ArithmeticError, AttributeError)
"""What reading a value may raise that another program wrote."""


def naive(moment: datetime | None) -> datetime | None:
    """Give a moment as the tables hold it: UTC without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def render_stamp(moment: datetime) -> str:
    """Write a moment without a zone as the old shop's programs do."""
    return moment.isoformat(" ", "microseconds")


@overload
def read_moment(value: str | datetime) -> datetime: ...


@overload
def read_moment(value: None) -> None: ...


def read_moment(value: str | datetime | None) -> datetime | None:
    """Read a moment that a table holds; it comes with its zone, UTC."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)


def read_json(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read what a column of JSON holds; raise `JSONDecodeError` for text that is no JSON."""
    return json.loads(value) if isinstance(value, str) else value


def read_field(name: str, value: FieldValue | float) -> FieldValue:
    """Bring what a column holds into the type of the field of the same name."""
    if name == "weight" and value is not None:
        return Decimal(str(value))
    if name == "release_id" and isinstance(value, str) and value.isdigit():
        return int(value)
    if name == "price_value" and value is not None:
        return Decimal(str(value)).quantize(_CENT)
    if name == "accept_offer" and value is not None:
        return bool(value)
    return Decimal(str(value)) if isinstance(value, float) else value
