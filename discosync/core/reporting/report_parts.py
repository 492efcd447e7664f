"""Parts of the run report: counts of listings, of an archive, of the cache and of the API."""

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
    corrected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveUse:
    """How much a purge put into an archive, or a restore took out of one.

    `file` is None for what a purge would put there. `bytes` is the size of the file.
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
    """How often the cache had the answer; `backend` is `sqlite`, `redis` or None (no cache)."""

    backend: str | None = None
    hits: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float | None:
        """The share of questions that the cache answered, 0.0 to 1.0; None if it was not asked."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUse:
    """What a run asked of Discogs; `throttled_seconds` is how long it waited for the rate limit."""

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0
