"""What `restore` was asked for."""

from dataclasses import dataclass, field
from pathlib import Path

from discosync.core.planning.limits import Allowances
from discosync.runner import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What shall be taken back: listings, what a run did, or what an archive holds."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    listing_ids: tuple[int, ...] = ()
    run_id: str | None = None
    archive: Path | None = None
    allowed: Allowances = field(default_factory=Allowances)
    allow_mass_restore: bool = False
    lock_wait_seconds: float = 0.0
