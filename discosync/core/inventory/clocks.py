"""This machine's clock beside Discogs' own, which every answer tells in its header `Date`."""

from datetime import timedelta

TOLERANCE = timedelta(minutes=5)
"""Clocks that differ by less are taken for the same."""

MAX_BEHIND = timedelta(hours=2)
"""A clock that is further behind would date every inventory in the future."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def is_off(offset: timedelta) -> bool:
    """Whether this machine's clock is wrong; `offset` is how far Discogs' clock is ahead of it."""
    return abs(offset) > TOLERANCE


def describe_clock(offset: timedelta) -> str:
    """Say how wrong this machine's clock is, and what to do about it."""
    way = "behind" if offset > timedelta() else "ahead of"
    return f"this machine's clock is {_about(abs(offset))} {way} Discogs': set it (timedatectl)"


def _about(span: timedelta) -> str:
    for unit, name in ((_DAY, "days"), (_HOUR, "hours")):
        if span > 1.75 * unit:
            return f"{span / unit:,.0f} {name}"
    return f"{span / timedelta(minutes=1):.0f} minutes"
