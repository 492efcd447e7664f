"""The observer of a plan: while it is made, it hears which records settle which listings.

A record settles its listing when it proves, by its bytes alone, that the listing will not change
as long as the same bytes come again. The planner itself needs no such memory.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol


class PlanObserver(Protocol):
    """Hears what the planner finds out about each record; `core.recall` remembers it."""

    def keep(self, positions: Iterable[int]) -> None:
        """Hear that these known listings were settled by the records that settled them before."""

    def settle(self, position: int, raw_digest: bytes, *, flags: int | None = None) -> None:
        """Hear that a record settles a known listing, and its flags where they change."""

    def add(
        self, listing_ids: Sequence[int], raw_digests: Iterable[bytes], *, are_active: bytes
    ) -> None:
        """Hear of new listings and their records; `are_active` holds a byte for each, 1 or 0."""


class NoObserver:
    """Remembers nothing."""

    def keep(self, positions: Iterable[int]) -> None:
        """Ignore it."""

    def settle(self, position: int, raw_digest: bytes, *, flags: int | None = None) -> None:
        """Ignore it."""

    def add(
        self, listing_ids: Sequence[int], raw_digests: Iterable[bytes], *, are_active: bytes
    ) -> None:
        """Ignore it."""
