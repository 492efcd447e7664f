"""The inventory of a past moment, in the form of an export: it can be synced and compared."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from discosync.core.inventory.columns import EXPORT_COLUMNS, FIELD_BY_COLUMN
from discosync.core.inventory.pacific import utc_to_pacific

COLUMNS = (*EXPORT_COLUMNS, "currency")
"""An export's columns, and the currency, which an export leaves out."""

_FIELDS_OF = itemgetter(*(FIELD_BY_COLUMN.get(column, column) for column in COLUMNS))
_ACCEPTS = COLUMNS.index("accept_offer")
_LISTED = COLUMNS.index("listed")


def render_past_csv(listings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write a header, then a record a listing, each with its line end."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for listing in listings:
        cells = list(_FIELDS_OF(listing))
        if cells[_ACCEPTS] is not None:
            cells[_ACCEPTS] = "Y" if cells[_ACCEPTS] else "N"
        if cells[_LISTED] is not None:
            cells[_LISTED] = _pacific(cells[_LISTED])
        writer.writerow(cells)
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _pacific(moment: str) -> str:
    """Write a moment in Discogs' local time: zones change at full hours, so an hour is one."""
    return f"{_pacific_hour(moment[:13])}{moment[13:19]}"


@lru_cache(maxsize=100_000)
def _pacific_hour(hour: str) -> str:
    return f"{utc_to_pacific(datetime.fromisoformat(f'{hour}:00:00Z')):%Y-%m-%d %H}"
