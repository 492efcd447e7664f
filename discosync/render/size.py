"""Numbers of bytes and of things as people read them: `1.2 MB`, `3 listings`."""


def render_size(size_bytes: int) -> str:
    """Write a number of bytes for people."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"


def render_count(count: int, noun: str) -> str:
    """Write a number with its noun, which takes an "s" for more than one: "1 listing"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
