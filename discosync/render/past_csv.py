"""The inventory of a past moment as CSV, in the form of an export, so that `sync` can read it."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from discosync.core.inventory.columns import FIELD_BY_COLUMN, PAST_COLUMNS
from discosync.core.inventory.guarded import guard
from discosync.core.inventory.pacific import utc_to_pacific

_FIELDS_OF = itemgetter(*(FIELD_BY_COLUMN.get(column, column) for column in PAST_COLUMNS))
_ACCEPTS = PAST_COLUMNS.index("accept_offer")
_LISTED = PAST_COLUMNS.index("listed")


def render_past_csv(listings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the CSV in pieces of about 64 KiB: a header, then one record a listing."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(PAST_COLUMNS)
    for listing in listings:
        cells = list(_FIELDS_OF(listing))
        if cells[_ACCEPTS] is not None:
            cells[_ACCEPTS] = "Y" if cells[_ACCEPTS] else "N"
        if cells[_LISTED] is not None:
            cells[_LISTED] = _pacific(cells[_LISTED])
        writer.writerow(guard(cell) if isinstance(cell, str) else cell for cell in cells)
        # The whole inventory as one text would take as much memory as the file is large.
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _pacific(moment: str) -> str:
    """Write a moment in Discogs' local time, US Pacific.

    Its offset changes at full hours only, so one calculation per hour serves all moments in it.
    """
    return f"{_pacific_hour(moment[:13])}{moment[13:19]}"


@lru_cache(maxsize=100_000)
def _pacific_hour(hour: str) -> str:
    return f"{utc_to_pacific(datetime.fromisoformat(f'{hour}:00:00Z')):%Y-%m-%d %H}"
