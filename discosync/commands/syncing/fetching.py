"""The options of a fetch and its result, which are the same for every source."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.absence import LookUp
from discosync.discogs.inventory.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """Where to fetch from; `source` None means the complete source with the fewest requests."""

    from_file: Path | None = None
    source: Source | None = None
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A snapshot, and what its source can tell about it.

    `is_sandbox` says whether discosync's own sandbox gave it (None: a file does not say).
    `count_again` asks the second witness, Discogs' own count of listings For Sale, once more
    (None: a file has no witness). `asking` opens the way to ask Discogs for single listings, for at
    most so many seconds (None: nobody can be asked, because a file came without a token).
    """

    snapshot: Snapshot
    is_sandbox: bool | None
    count_again: Callable[[], int] | None = None
    asking: "Asking | None" = None


Ask = Callable[[int], LookUp]
"""Asks Discogs for a listing by its id; raises `SourceUnavailable` when no other can be asked."""

Asking = Callable[[float], AbstractContextManager[Ask]]


Fallback = Callable[[Spool, str], Fetched]
"""Another way to the same inventory; the text is the reason for taking it."""


class Fetcher(Protocol):
    """Brings one seller's inventory onto the disk."""

    @property
    def fallback(self) -> Fallback | None:
        """Another source for when the first one gave a bad snapshot; None if there is no other."""

    def fetch(self, spool: Spool) -> Fetched:
        """Fetch a complete snapshot."""

    def close(self) -> None:
        """Close what is open."""
