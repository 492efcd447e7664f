"""A length of time as people read it: `1 d 2 h`."""

from datetime import timedelta


def render_age(age: timedelta) -> str:
    """Write a length of time for people, in its two largest units."""
    seconds = max(0, int(age.total_seconds()))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
