"""Lengths of time and moments as people type them: `3h`, `2026-11-20`, `2026-11-20T14:00+01:00`."""

import re
from datetime import UTC, datetime, timedelta

_AGE = re.compile(r"(?P<number>[0-9]{1,6})\s*(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """Parse a length of time such as `90s`, `30m`, `3h`, `180d` or `26w`.

    Raises `ValueError` for anything else, and for zero: "gone for 0 days" would mean every listing.
    """
    match = _AGE.fullmatch(text.strip().lower())
    age = match and timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    if not age:
        raise ValueError(f"{text!r} is not a length of time; examples: 90s, 30m, 3h, 180d, 26w")
    return age


def parse_moment(text: str, *, now: datetime) -> datetime:
    """Parse a moment: ISO 8601, in UTC if it names no zone, or a length of time before `now`."""
    # An age first: no date looks like `3h`.
    try:
        return now - parse_age(text)
    except OverflowError:
        raise ValueError(f"{text!r} is before the year 1") from None
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a time; examples: 2026-11-20, 2026-11-20T14:00, 3h, 180d"
        ) from None


def parse_past_moment(text: str, *, now: datetime) -> datetime:
    """Parse a moment as `parse_moment` does; raise `ValueError` also for one after `now`."""
    moment = parse_moment(text, now=now)
    if moment > now:
        raise ValueError(f"{text} lies in the future; give a time in the past")
    return moment


def moment_of_run(started_at: datetime, snapshot_as_of: datetime | None) -> datetime:
    """Return when the changes of a run became true: the moment that its snapshot shows.

    A run without a dated snapshot counts from its start. So does one whose snapshot is within a
    second of its start, because Discogs dates its answers in whole seconds.
    """
    if snapshot_as_of is None or abs(started_at - snapshot_as_of) <= timedelta(seconds=1):
        return started_at
    return snapshot_as_of


def is_another_day(before: datetime, now: datetime) -> bool:
    """Return whether two moments are of different days in UTC."""
    return before.astimezone(UTC).date() != now.astimezone(UTC).date()
