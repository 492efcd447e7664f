"""What `enrich` was asked for."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from discosync.core.catalog.enrichment import (
    LookupSource,
)
from discosync.runner import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichRequest:
    """What shall be enriched, and from where.

    `limit` None means ENRICHMENT_BATCH_SIZE listings for the API and all otherwise. `refresh` is
    the age at which a release is looked up again; None means `REFRESH_AFTER`.
    """

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    limit: int | None = None
    is_all: bool = False
    dump: Path | None = None
    names_only: bool = False
    max_requests: int | None = None
    refresh: timedelta | None = None
    lock_wait_seconds: float = 0.0

    @property
    def source(self) -> LookupSource:
        """Where releases are looked up."""
        if self.dump is not None:
            return LookupSource.DUMP
        return LookupSource.NAMES if self.names_only else LookupSource.API
