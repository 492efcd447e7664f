"""How much may come: a packed file of a few kilobytes may hold more than any disk."""

from collections.abc import Iterable, Iterator

from discosync.errors import BadData

MAX_INVENTORY_BYTES = 2 << 30
"""An inventory that is longer is none: ten million listings fit into this."""

MAX_ANSWER_BYTES = 64 << 20
"""A page of an inventory has less than one megabyte, a release less still."""

_MAX_RATIO = 250
_ALWAYS_ALLOWED = 64 << 20


def most_unpacked(packed_bytes: int) -> int:
    """Return how many bytes a packed inventory may hold: 250 times its own size, at least 64 MiB.

    Text shrinks to a tenth. Only what repeats one byte without end shrinks to a thousandth.
    """
    return min(MAX_INVENTORY_BYTES, max(_ALWAYS_ALLOWED, _MAX_RATIO * packed_bytes))


def bounded(chunks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Pass chunks on; raise `BadData` once they are more bytes than that."""
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            raise BadData(
                f"this is no inventory: it has more than {most_bytes >> 20:,} MiB"
                + (" unpacked" if most_bytes < MAX_INVENTORY_BYTES else ""),
                hint="nothing was changed; look at what it is, or fetch it again",
                code="too_large",
            )
        yield chunk
