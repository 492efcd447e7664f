"""Parts of the run report that other values are made of, too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingCounts:
    """The report's `listings`: how many there are of each kind."""

    seen: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    reactivated: int = 0
    quarantined: int = 0
    active: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveUse:
    """What a purge put into an archive, or a restore took out of one.

    Without a file: what a purge would put there.
    """

    file: str | None = None
    sha256: str | None = None
    bytes: int = 0
    listings: int = 0
    changes: int = 0
    removed_before: datetime | None = None
    by_reason: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUse:
    """What a run was spared; `backend` is where answers are kept, None where they are not."""

    backend: str | None = None
    hits: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float | None:
        """The share of its questions that the cache answered; None when it was asked nothing."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUse:
    """What a run asked of Discogs."""

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0
