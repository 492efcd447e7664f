"""Charts as inline SVG: bars over periods, and a line over time. Colours come from the page."""

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 220, 56, 28, 12
_HALF_A_LABEL = 30


def _ceiling(highest: float) -> float:
    """Round up to a number that reads well on an axis."""
    size = 1.0
    while size * 10 <= highest:
        size *= 10
    return next((step * size for step in (1, 2, 2.5, 5, 10) if step * size >= highest), highest)


def _axis(top: float) -> str:
    lines = []
    for part in range(5):
        value = top * part / 4
        y = _y(value, top)
        lines.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(value)}</text>"
        )
    return "".join(lines)


def _y(value: float, top: float) -> float:
    return _TOP + (_HEIGHT - _BOTTOM - _TOP) * (1 - value / top)


def _short(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _labels(names: Sequence[str], step: float) -> str:
    # More than about eight names run into each other.
    every = max(1, -(-len(names) // 8))
    return "".join(
        _label(name, _LEFT + step * (index + 0.5))
        for index, name in enumerate(names)
        if index % every == 0
    )


def _label(name: str, x: float) -> str:
    """Write a name under its period; at the right edge it ends at the edge, else it is cut."""
    is_at_edge = x > _WIDTH - _HALF_A_LABEL
    x, anchor = (_WIDTH, "end") if is_at_edge else (x, "middle")
    return (
        f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">'
        f"{escape(name)}</text>"
    )


def _svg(title: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def bar_chart(title: str, points: Sequence[tuple[str, float]]) -> str:
    """Draw one bar per period; a bar's tooltip shows its value."""
    top = _ceiling(max((value for _, value in points), default=0) or 1)
    step = (_WIDTH - _LEFT) / max(1, len(points))
    width, floor = min(step * 0.76, 48), _HEIGHT - _BOTTOM
    bars = "".join(
        f'<rect class="bar" x="{_LEFT + step * (index + 0.5) - width / 2:.1f}" '
        f'y="{_y(value, top):.1f}" width="{width:.1f}" '
        f'height="{floor - _y(value, top):.1f}" rx="2">'
        f"<title>{escape(name)}: {value:,g}</title></rect>"
        for index, (name, value) in enumerate(points)
    )
    return _svg(title, _axis(top) + bars + _labels([name for name, _ in points], step))


def line_chart(title: str, points: Sequence[tuple[str, float]]) -> str:
    """Draw a line and the area under it; a dot's tooltip shows its value."""
    top = _ceiling(max((value for _, value in points), default=0) or 1)
    step = (_WIDTH - _LEFT) / max(1, len(points))
    corners = [
        (_LEFT + step * (index + 0.5), _y(value, top)) for index, (_, value) in enumerate(points)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    floor = _HEIGHT - _BOTTOM
    area = f"{corners[0][0]:.1f},{floor} {path} {corners[-1][0]:.1f},{floor}" if corners else ""
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(name)}: {value:,.2f}'
        "</title></circle>"
        for (x, y), (name, value) in zip(corners, points, strict=True)
    )
    body = f'<polygon class="area" points="{area}"/><polyline class="line" points="{path}"/>{dots}'
    return _svg(title, _axis(top) + body + _labels([name for name, _ in points], step))
