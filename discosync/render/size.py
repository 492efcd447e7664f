"""A number of bytes as people read it: `1.2 MB`."""


def render_size(size_bytes: int) -> str:
    """Write a number of bytes for people."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
