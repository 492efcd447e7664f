"""Limits as arithmetic."""

import pytest

from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.limits import (
    Allowances,
    check_limits,
    check_witness,
    parse_removal_limit,
    witness_tolerance,
)
from tests.support.shop import NOON


def _snapshot(expected: int) -> Snapshot:
    from pathlib import Path  # noqa: PLC0415

    return Snapshot(
        path=Path("none"),
        source=Source.EXPORT,
        seller="shop",
        sha256="",
        size_bytes=0,
        as_of=NOON,
        expected_items=expected,
    )


@pytest.mark.parametrize(
    ("active", "limit"),
    [(0, 10), (200, 10), (219, 10), (220, 11), (10_000, 500), (90_000, 500)],
)
def test_default_removal_limit(active: int, limit: int) -> None:
    """max(10, min(5% of active, 500))."""
    assert parse_removal_limit("5%").of(active) == active * 5 // 100
    refused = check_limits(ChangeSet(known_active=active, records=1), Allowances())
    assert refused == []
    from discosync.core.planning.limits import RemovalLimit  # noqa: PLC0415

    assert RemovalLimit().of(active) == limit


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "101%", "%", "1/0"])
def test_no_limit_but_a_number_or_a_percentage(text: str) -> None:
    """A removal limit that makes no sense is told, with an example."""
    with pytest.raises(ValueError, match="example: 25 or 5%"):
        parse_removal_limit(text)


@pytest.mark.parametrize(
    ("expected", "tolerance"), [(0, 2), (400, 2), (599, 2), (600, 3), (100_000, 500)]
)
def test_witnesses_may_differ_a_little(expected: int, tolerance: int) -> None:
    """max(2, 0.5%): up to it they agree, one more and they do not, either way."""
    assert witness_tolerance(expected) == tolerance
    for sign in (-1, 1):
        at_edge = ChangeSet(for_sale=max(0, expected + sign * tolerance))
        assert check_witness(at_edge, _snapshot(expected)) is None
    beyond = ChangeSet(for_sale=expected + tolerance + 1)
    assert check_witness(beyond, _snapshot(expected)) is not None


def test_empty_over_empty_is_no_violation() -> None:
    """A shop that never had anything may go on having nothing."""
    assert check_limits(ChangeSet(), Allowances()) == []
