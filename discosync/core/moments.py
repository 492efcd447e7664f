"""Ages and moments as people type them: `3h`, `180d`, `2026-11-20`, `2026-11-20T14:00+01:00`."""

import re
from datetime import UTC, datetime, timedelta

_AGE = re.compile(r"(?P<number>[0-9]{1,6})\s*(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """Read a length of time such as `90s`, `30m`, `3h`, `180d` or `26w`; `ValueError` for others.

    Zero is no age: what is meant by it is always something else.
    """
    match = _AGE.fullmatch(text.strip().lower())
    age = match and timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    if not age:
        raise ValueError(f"{text!r} is no age; examples: 90s, 30m, 3h, 180d, 26w")
    return age


def parse_moment(text: str, *, now: datetime) -> datetime:
    """Read a moment: ISO 8601, in UTC when it names no zone, or an age before `now`."""
    try:
        return now - parse_age(text)
    except OverflowError:
        raise ValueError(f"{text!r} lies before the calendar begins") from None
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no moment; examples: 2026-11-20, 2026-11-20T14:00, 3h, 180d"
        ) from None


def parse_past_moment(text: str, *, now: datetime) -> datetime:
    """Read a moment or an age as `parse_moment` does; `ValueError` also for what is to come."""
    moment = parse_moment(text, now=now)
    if moment > now:
        raise ValueError(f"{text} lies in the future; name a past moment")
    return moment


def moment_of_run(started_at: datetime, snapshot_as_of: datetime | None) -> datetime:
    """Say when what a run wrote became true: the moment that its snapshot shows.

    Discogs names whole seconds; one within a second of the run's start is that start. A run
    without a dated snapshot counts from its start.
    """
    if snapshot_as_of is None or abs(started_at - snapshot_as_of) <= timedelta(seconds=1):
        return started_at
    return snapshot_as_of
