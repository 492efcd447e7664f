"""Decide what a purge takes: what has been gone for long, and no more of it than a limit allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from discosync.core.limits import RemovalLimit, Violation


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


def check_purge(plan: PurgePlan, limit: RemovalLimit) -> Violation | None:
    """Refuse to purge more than max(10, min(5% of the listings held, 500)), or than allowed."""
    count, most = len(plan.listing_ids), limit.of(plan.total)
    if count <= most:
        return None
    said = limit.explain(plan.total).replace("active", "listings held")
    return Violation(
        code="too_many_purged",
        text=f"would purge {count:,} of {plan.total:,} listings held; the limit is {said}",
        option=f"--max-purge {count}",
    )
