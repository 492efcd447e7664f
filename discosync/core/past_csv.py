"""The inventory of a past moment, in the form of an export: it can be synced and compared."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from discosync.core.columns import EXPORT_COLUMNS, FIELD_BY_COLUMN
from discosync.core.pacific import utc_to_pacific

COLUMNS = (*EXPORT_COLUMNS, "currency")
"""An export's columns, and the currency, which an export leaves out."""


def render_past_csv(listings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write a header, then a record a listing, each with its line end."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for listing in listings:
        writer.writerow([_cell(column, listing) for column in COLUMNS])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(column: str, listing: Mapping[str, Any]) -> str:
    value = listing[FIELD_BY_COLUMN.get(column, column)]
    if value is None:
        return ""
    if column == "accept_offer":
        return "Y" if value else "N"
    if column == "listed":
        return f"{utc_to_pacific(datetime.fromisoformat(value)):%Y-%m-%d %H:%M:%S}"
    return str(value)
