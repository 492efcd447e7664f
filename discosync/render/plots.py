"""Small plots made of characters, for tables in a terminal."""

from collections.abc import Sequence

_SPARKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"


def render_sparkline(values: Sequence[float]) -> str:
    """Draw one character per value, between the lowest value, or zero, and the highest."""
    if not values:
        return ""
    low, high = min(0.0, *values), max(values)
    span = high - low
    # All values are the same, and nothing can be told from the height of a bar.
    if not span:
        return _SPARKS[0] * len(values)
    steps = len(_SPARKS) - 1
    return "".join(_SPARKS[round((value - low) / span * steps)] for value in values)


def render_bar(value: float, highest: float, *, width: int = 20) -> str:
    """Draw a bar of at most `width` characters, to an eighth of one."""
    if value <= 0 or highest <= 0:
        return ""
    # A value above zero shows at least a trace.
    eighths = max(1, round(value / highest * width * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")
