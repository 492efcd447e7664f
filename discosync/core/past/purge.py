"""What a purge deletes, its limit, and the way back for a purged listing."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from discosync.core.planning.limits import RemovalLimit, Violation
from discosync.core.reporting.hints import config_option


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """The listings to purge, by the reason of their removal.

    Each was removed before `cutoff`. `total` counts all listings that the database holds of the
    seller; `undated` counts inactive ones whose date of removal is unknown, which stay.
    """

    cutoff: datetime
    listing_ids: tuple[int, ...]
    by_reason: Mapping[str, int]
    total: int
    undated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What the database keeps of a purged listing: its run, its archive's name, and the file."""

    run_id: str
    archive: str
    file: str
    config: Path | None = None

    @property
    def way_back(self) -> str:
        """The command that brings it back."""
        option = config_option(self.config)
        return f"discosync restore --from-archive {shlex.quote(self.file)}{option}"


def check_purge(plan: PurgePlan, limit: RemovalLimit) -> Violation | None:
    """Return a violation for more listings than the limit allows (docs/reference/limits.md).

    By default that is max(10, min(5% of the listings that the database holds, 500)).
    """
    count, most = len(plan.listing_ids), limit.of(plan.total)
    if count <= most:
        return None
    # The limit is worded for removals; a purge takes its share of all listings, not of active ones.
    said = limit.explain(plan.total).replace("active", "listings held")
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in plan.by_reason.items())
    return Violation(
        code="too_many_purged",
        text=f"would purge {count:,} ({reasons}) of {plan.total:,} listings held; the limit is "
        f"{said}",
        option=f"--max-purge {count}",
    )
