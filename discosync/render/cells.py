"""A value in a cell of a table: short, and in one line."""

from decimal import Decimal

from discosync.core.inventory.listing import FieldValue
from discosync.core.reporting.change_entry import json_value

MAX_SHOWN = 200
"""How many rows a table shows: as many as fit a pull request comment of 65,536 characters."""

_MAX_CELL = 60


def render_cell(value: FieldValue) -> str:
    """Write one value for a cell."""
    if value is None or value == "":
        return "–"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return shorten(str(json_value(value)))


def shorten(text: str) -> str:
    """Cut a text to what a cell holds, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"
