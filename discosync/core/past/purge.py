"""Decide what a purge takes: what has been gone for long, and no more of it than a limit allows."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from discosync.core.planning.limits import RemovalLimit, Violation
from discosync.core.reporting.hints import config_option


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """The listings to purge, and what they are a share of.

    `cutoff` is the moment before which each was removed; `undated` counts the inactive ones of
    which nobody knows since when: they stay.
    """

    cutoff: datetime
    listing_ids: tuple[int, ...]
    by_reason: Mapping[str, int]
    total: int
    undated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What is left of a purged listing: its run, its archive's name, and where that was put."""

    run_id: str
    archive: str
    file: str
    config: Path | None = None

    @property
    def way_back(self) -> str:
        """Write the command that brings it back."""
        option = config_option(self.config)
        return f"discosync restore --from-archive {shlex.quote(self.file)}{option}"


def check_purge(plan: PurgePlan, limit: RemovalLimit) -> Violation | None:
    """Refuse to purge more than max(10, min(5% of the listings held, 500)), or than allowed."""
    count, most = len(plan.listing_ids), limit.of(plan.total)
    if count <= most:
        return None
    said = limit.explain(plan.total).replace("active", "listings held")
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in plan.by_reason.items())
    return Violation(
        code="too_many_purged",
        text=f"would purge {count:,} ({reasons}) of {plan.total:,} listings held; the limit is "
        f"{said}",
        option=f"--max-purge {count}",
    )
