"""A purge takes no more than its limit allows, and names the way back."""

from pathlib import Path

import pytest

from discosync.core.past.purge import Purged, PurgePlan, check_purge
from discosync.core.planning.limits import RemovalLimit
from tests.support.shop import NOON


def _plan(count: int, total: int) -> PurgePlan:
    return PurgePlan(
        cutoff=NOON,
        listing_ids=tuple(range(count)),
        by_reason={"sold": count - 1, "expired": 1},
        total=total,
        undated=0,
    )


@pytest.mark.parametrize(
    ("total", "most"), [(10, 10), (200, 10), (1_000, 50), (10_000, 500), (90_000, 500)]
)
def test_limit_on_both_sides_of_its_edge(total: int, most: int) -> None:
    """It is max(10, min(5% of the listings held, 500))."""
    assert check_purge(_plan(most, total), RemovalLimit()) is None
    assert check_purge(_plan(most + 1, total), RemovalLimit()) is not None


def test_refusal_shows_its_arithmetic_and_what_allows_it() -> None:
    """By reason, and with the very number after --max-purge."""
    violation = check_purge(_plan(60, 1_000), RemovalLimit())
    assert violation is not None
    assert violation.text == (
        "would purge 60 (59 sold, 1 expired) of 1,000 listings held; the limit is "
        "max(10, min(5% of 1,000 listings held, 500)) = 50"
    )
    assert violation.option == "--max-purge 60"
    assert check_purge(_plan(60, 1_000), RemovalLimit(number=60)) is None


def test_way_back_can_be_typed() -> None:
    """A name with a blank is quoted, and the settings file is named."""
    purged = Purged(run_id="r", archive="a.gz", file="my a.gz", config=Path("d.toml"))
    assert purged.way_back == "discosync restore --from-archive 'my a.gz' --config d.toml"
