"""Limits as arithmetic: each on both sides of its edge, with the words of its refusal."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import (
    ACTIVE,
    ChangeSet,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    Updated,
)
from discosync.core.planning.limits import (
    Allowances,
    RemovalLimit,
    Violation,
    check_age,
    check_conflicts,
    check_limits,
    check_rejected,
    check_witness,
    parse_removal_limit,
    too_many_rejected,
    witness_tolerance,
)
from tests.support.shop import NOON

GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="missing", sold_at=None)


def _snapshot(expected: int | None, source: Source = Source.EXPORT) -> Snapshot:
    return Snapshot(
        path=Path("none"),
        source=source,
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


def _state(number: int, *fields: str, is_active: bool = True) -> dict[str, Any]:
    return {
        "listing_id": number,
        "heading": "",
        "fields": tuple(FieldChange(name, "old", "new") for name in fields),
        "lifecycle": ACTIVE if is_active else GONE,
        "content_hash": "",
        "expected_hash": "",
        "currency": "EUR",
    }


def _missing(count: int) -> tuple[Removed, ...]:
    return tuple(
        Removed(**_state(n, "is_active", is_active=False), in_snapshot=False) for n in range(count)
    )


def _updated(count: int, *fields: str, is_active: bool = True) -> tuple[Updated, ...]:
    return tuple(Updated(**_state(n, *fields, is_active=is_active)) for n in range(count))


def test_empty_inventory_is_refused_over_active_listings() -> None:
    """One record is enough; one active listing is enough; --allow-empty allows it, that alone."""
    empty = ChangeSet(known_active=1200, removed=_missing(1200))
    assert check_limits(empty, Allowances(mass_removal=True, mass_change=True)) == [
        Violation(
            code="empty_snapshot",
            text="the inventory is empty, the database holds 1,200 active listings",
            option="--allow-empty",
        )
    ]
    assert check_limits(empty, Allowances(empty=True)) == []
    assert len(check_limits(ChangeSet(known_active=1), Allowances())) == 1
    assert check_limits(ChangeSet(known_active=1, records=1), Allowances()) == []


def test_mass_removal_is_refused_above_its_limit() -> None:
    """At the limit it passes; one more is refused, with the arithmetic; only missing ones count."""
    allowed = Allowances()
    at_edge = ChangeSet(known_active=1200, records=1, removed=_missing(60))
    assert check_limits(at_edge, allowed) == []
    beyond = ChangeSet(known_active=1200, records=1, removed=_missing(61))
    assert check_limits(beyond, allowed) == [
        Violation(
            code="too_many_removals",
            text="would remove 61 of 1,200 active listings (5.1%) that the inventory no longer "
            "contains; the limit is max(10, min(5% of 1,200 active, 500)) = 60",
            option="--allow-mass-removal",
        )
    ]
    half = ChangeSet(known_active=1200, records=1, removed=_missing(600))
    assert "600 of 1,200 active listings (50.0%)" in check_limits(half, allowed)[0].text
    assert check_limits(beyond, Allowances(mass_removal=True)) == []
    assert check_limits(beyond, Allowances(max_removals=RemovalLimit(number=61))) == []
    (told,) = check_limits(beyond, Allowances(max_removals=RemovalLimit(number=60)))
    assert told.text.endswith("the limit is 60")
    shown = tuple(
        Removed(**_state(n, "is_active", is_active=False), in_snapshot=True) for n in range(61)
    )
    assert check_limits(ChangeSet(known_active=1200, records=61, removed=shown), allowed) == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (RemovalLimit(), "max(10, min(5% of 1,200 active, 500)) = 60"),
        (RemovalLimit(percent=Fraction("2.5")), "2.5% of 1,200 active = 30"),
        (RemovalLimit(number=1500), "1,500"),
    ],
)
def test_removal_limit_shows_its_arithmetic(limit: RemovalLimit, words: str) -> None:
    """Whatever was set is named with what follows from it."""
    assert limit.explain(1200) == words


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0", RemovalLimit(number=0)),
        ("25", RemovalLimit(number=25)),
        (" 100% ", RemovalLimit(percent=Fraction(100))),
        ("0%", RemovalLimit(percent=Fraction(0))),
        ("0.5%", RemovalLimit(percent=Fraction(1, 2))),
    ],
)
def test_limits_of_removals_that_are_understood(text: str, limit: RemovalLimit) -> None:
    """A number from 0 on, or a percentage from 0% to 100%."""
    assert parse_removal_limit(text) == limit


def test_another_currency_is_refused_for_even_one_listing() -> None:
    """A seller has one currency; --allow-mass-change allows it."""
    state = _state(1, "price_currency") | {
        "fields": (FieldChange("price_value", 1, 2), FieldChange("price_currency", "EUR", "USD"))
    }
    rewritten: Sequence[Sequence[Rewrite]] = (
        (Updated(**state),),
        (Removed(**state, in_snapshot=True),),
        (Reactivated(**state),),
    )
    for name, kind in zip(("updated", "removed", "reactivated"), rewritten, strict=True):
        changes = ChangeSet(records=1, known_active=1, **{name: kind})  # type: ignore[arg-type]
        assert check_limits(changes, Allowances()) == [
            Violation(
                code="currency_changed",
                text="the currency of 1 listings would change from EUR to USD",
                option="--allow-mass-change",
            )
        ]
        assert check_limits(changes, Allowances(mass_change=True)) == []


@pytest.mark.parametrize(
    ("count", "total", "refused"), [(25, 50, False), (26, 50, True), (49, 49, False)]
)
def test_the_same_field_in_more_than_half_is_refused(
    count: int,
    total: int,
    refused: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """More than half of at least 50 listings; prices may all change at once."""
    changes = ChangeSet(updated=_updated(count, "location", "price_value"), compared=total)
    expected = Violation(
        code="mass_change",
        text="location would change in 26 of 50 known listings (52.0%); the limit is 50%",
        option="--allow-mass-change",
    )
    assert check_limits(changes, Allowances()) == ([expected] if refused else [])


def test_active_listings_are_counted_by_themselves_too() -> None:
    """Beside many sold rows a change of every active listing is less than half of all."""
    changes = ChangeSet(
        updated=(*_updated(26, "status"), *_updated(30, "status", is_active=False)),
        compared=500,
        compared_active=50,
    )
    (told,) = check_limits(changes, Allowances())
    assert told.text == (
        "status would change in 26 of 50 active listings (52.0%); the limit is 50%"
    )
    gone = tuple(
        Removed(**_state(n, "is_active", "status", is_active=False), in_snapshot=True)
        for n in range(26)
    )
    changes = ChangeSet(removed=gone, compared=500, compared_active=50, records=1)
    assert [x.code for x in check_limits(changes, Allowances())] == ["mass_change"]


def test_field_is_refused_once_and_others_are_still_looked_at() -> None:
    """A field that changes in most known and most active listings is one refusal; two are two."""
    changes = ChangeSet(updated=_updated(50, "status", "location"), compared=50, compared_active=50)
    assert [(x.code, x.text.split()[0]) for x in check_limits(changes, Allowances())] == [
        ("mass_change", "status"),
        ("mass_change", "location"),
    ]


def _rejected(count: int) -> tuple[RejectedRecord, ...]:
    return tuple(RejectedRecord(line=7 + n, reason="no id", listing_id=None) for n in range(count))


def test_bad_records_are_refused_above_one_in_a_hundred() -> None:
    """1 of 100 passes, 1 of 99 does not, and the first of them is named."""
    assert check_rejected(ChangeSet(records=99, rejected=_rejected(1))) is None
    told = check_rejected(ChangeSet(records=98, rejected=_rejected(1)))
    assert told is not None
    assert (told.code, told.message, told.hint) == (
        "too_many_bad_records",
        "1 of 99 records cannot be read; the limit is 1% and 50. The first is line 7: no id",
        "nothing was changed; look at that line, or fetch the inventory again",
    )
    assert "1,000 of 2,000 records" in too_many_rejected(_rejected(1000), 2000).message


def test_witness_speaks_of_exports_only() -> None:
    """Pages add up by themselves, and a file has no witness; a bad record may be For Sale."""
    short = ChangeSet(for_sale=100)
    assert check_witness(short, _snapshot(200, Source.PAGES)) is None
    assert check_witness(short, _snapshot(None)) is None
    told = check_witness(ChangeSet(for_sale=1100), _snapshot(1200))
    assert told is not None
    assert told.code == "witness_disagrees"
    assert told.hint == "nothing was changed; run again, or `discosync sync --source pages`"
    assert told.message == (
        "the export holds 1,100 listings For Sale, Discogs counts 1,200; they may differ by "
        "max(2, 0.5%) = 6: the export is incomplete"
    )
    with_bad = ChangeSet(for_sale=100, rejected=_rejected(3))
    assert check_witness(with_bad, _snapshot(105)) is None
    assert check_witness(with_bad, _snapshot(106)) is not None
    assert check_witness(with_bad, _snapshot(98)) is None
    assert check_witness(with_bad, _snapshot(97)) is not None


def test_listing_with_two_stories_is_refused() -> None:
    """The first five are named."""
    assert check_conflicts([]) is None
    told = check_conflicts(range(1, 7))
    assert told is not None
    assert (told.code, told.message, told.hint) == (
        "conflicting_duplicates",
        "the inventory holds 6 listings twice with different content: 1, 2, 3, 4, 5 …",
        "nothing was changed; fetch the inventory again",
    )
    five = check_conflicts(range(1, 6))
    assert five is not None
    assert five.message.endswith("different content: 1, 2, 3, 4, 5")


def test_another_currency_everywhere_is_one_refusal() -> None:
    """Its change is no mass change besides."""
    changes = ChangeSet(updated=_updated(50, "price_currency"), compared=50, compared_active=50)
    assert [x.code for x in check_limits(changes, Allowances())] == ["currency_changed"]


def _of(as_of: datetime | None, precision: timedelta = timedelta()) -> Snapshot:
    return Snapshot(
        path=Path("none"),
        source=Source.EXPORT,
        seller="shop",
        sha256="",
        size_bytes=0,
        as_of=as_of,
        as_of_precision=precision,
    )


def test_older_snapshot_is_refused() -> None:
    """One second before the last one is too old; the same moment is not; none says nothing."""
    second = timedelta(seconds=1)
    assert check_age(_of(NOON), NOON, now=NOON) is None
    assert check_age(_of(None), NOON, now=NOON) is None
    assert check_age(_of(NOON), None, now=NOON) is None
    assert check_age(_of(NOON - second, second), NOON, now=NOON) is None
    assert check_age(_of(NOON - second), NOON, now=NOON) == Violation(
        code="older_snapshot",
        text="this inventory is of 2026-03-02 11:59:59 UTC, but the last one applied is of "
        "2026-03-02 12:00:00 UTC: sold records would come back",
        option="",
    )


def test_snapshot_from_the_future_is_refused() -> None:
    """Two hours ahead of this machine's clock may be; more would make later ones look old."""
    assert check_age(_of(NOON + timedelta(hours=2)), None, now=NOON) is None
    assert check_age(_of(NOON + timedelta(hours=2, seconds=1)), None, now=NOON) == Violation(
        code="older_snapshot",
        text="this inventory is of 2026-03-02 14:00:01 UTC, which is in the future: this machine's "
        "clock says 2026-03-02 12:00:00",
        option="",
    )
