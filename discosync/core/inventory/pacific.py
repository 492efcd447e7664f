"""Discogs' clock.

Export times, file names and the CSV's `listed` are US Pacific local time without a zone (observed
in recorded exchanges of August 2026: seven hours behind the `Date` header).
"""

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

_EXPORT_NAME = re.compile(r"(?P<seller>.+)-inventory-(?P<day>\d{8})-(?P<minute>\d{4})\.csv")


@cache
def _pacific() -> ZoneInfo:
    return ZoneInfo("America/Los_Angeles")


def pacific_to_utc(local: datetime) -> datetime:
    """Turn naive Pacific time into UTC.

    In the hour that November repeats, the earlier moment is meant: taking a snapshot for older
    than it is may refuse it, taking it for newer could bring back what was sold.
    """
    return local.replace(tzinfo=_pacific(), fold=0).astimezone(UTC)


def utc_to_pacific(moment: datetime) -> datetime:
    """Turn a moment into Discogs' naive local time."""
    return moment.astimezone(_pacific()).replace(tzinfo=None)


def parse_export_name(name: str) -> tuple[str, datetime] | None:
    """Read seller and moment (UTC, to the minute) from `NAME-inventory-YYYYMMDD-HHMM.csv`.

    A packed file may carry a further ending. Returns None for any other name.
    """
    for ending in (".gz", ".zip"):
        name = name.removesuffix(ending)
    match = _EXPORT_NAME.fullmatch(name)
    if match is None:
        return None
    try:
        local = datetime.strptime(  # noqa: DTZ007 - Discogs names no zone
            match["day"] + match["minute"], "%Y%m%d%H%M"
        )
        return match["seller"], pacific_to_utc(local)
    except (ValueError, OverflowError):
        return None


def render_export_name(seller: str, moment: datetime) -> str:
    """Name a file as Discogs names the export of that moment."""
    return f"{seller}-inventory-{utc_to_pacific(moment):%Y%m%d-%H%M}.csv"
