"""Whether a row still holds what its hash says, and what it should hold instead."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from discosync.core.inventory.listing import CONTENT_FIELDS, Listing, content_hash
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.planning.changes import ACTIVE, FieldChange, Lifecycle
from discosync.core.planning.drift import (
    MIN_ROWS_PER_RUN,
    Round,
    SlowCheck,
    check_drift,
    find_drifted,
    mend,
)
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from discosync.core.planning.limits import Allowances
from tests.support.shop import NOON, make_listing

ALL = frozenset(CONTENT_FIELDS)
PUBLIC = ALL - {"location"}
GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="missing", sold_at=None)


def _row(
    *, of: Listing | None = None, lifecycle: Lifecycle = ACTIVE, **edited: Any
) -> KnownListing:
    listing = of or make_listing()
    values = [edited.get(name, getattr(listing, name)) for name in STORED_FIELDS]
    return KnownListing(listing.listing_id, content_hash(listing), lifecycle, values)


def has_drifted(row: KnownListing) -> bool:
    """Look at the row among others."""
    others = [_row(of=make_listing(number)) for number in (1, 2)]
    return find_drifted([others[0], row, others[1]]) == [row]


RECORD = ParsedRecord.of(make_listing())


def test_a_row_as_it_was_written_has_not_drifted() -> None:
    """Nor has one whose hash is missing or of another version: it says nothing."""
    assert not has_drifted(_row())
    assert not has_drifted(_row(price_value=Decimal(1))._replace(content_hash=None))
    assert not has_drifted(_row(price_value=Decimal(1))._replace(content_hash="0:00"))
    assert not has_drifted(_row(lifecycle=GONE))


@pytest.mark.parametrize("name", CONTENT_FIELDS)
def test_any_content_that_is_edited_is_drift(name: str) -> None:
    """It is put back from the record; nothing else is touched."""
    edited: dict[str, Any] = {name: "edited" if name != "weight" else Decimal(1)}
    row = _row(**edited)
    assert has_drifted(row)
    mended = mend(row, RECORD, ALL, {})
    assert mended.is_known
    assert mended.corrected is not None
    (change,) = mended.corrected.fields
    assert (change.field, change.after) == (name, getattr(make_listing(), name))
    assert mended.corrected.content_hash == row.content_hash


@pytest.mark.parametrize("value", [b"bytes", "free", float("nan"), Decimal("NaN"), None])
def test_a_value_of_another_type_is_drift(value: object) -> None:
    """SQLite stores whatever it is given."""
    row = _row(price_value=value)
    assert has_drifted(row)
    mended = mend(row, RECORD, ALL, {})
    assert mended.is_known
    assert mended.corrected is not None
    assert dict(zip(CONTENT_FIELDS, mended.corrected.content, strict=True)) == {
        name: getattr(make_listing(), name) for name in CONTENT_FIELDS
    }


def test_a_weight_is_the_same_as_far_as_the_column_holds_it() -> None:
    """A float keeps seventeen digits: what it had to drop is no edit."""
    heavy = make_listing(weight=Decimal("0.12345678901234567890"))
    row = _row(of=heavy, weight=Decimal(str(float("0.12345678901234567890"))))
    mended = mend(row, ParsedRecord.of(heavy), ALL, {})
    assert (mended.corrected, mended.is_known) == (None, True)


def test_the_past_counts_where_the_hash_proves_it() -> None:
    """Where no record shows a listing, what the history remembers may be all that was edited."""
    row = _row(price_value=Decimal(1), lifecycle=GONE)
    proven = mend(row, None, ALL, {"price_value": Decimal("12.50")})
    assert proven.is_known
    assert proven.corrected is not None
    assert proven.corrected.fields == (FieldChange("price_value", Decimal(1), Decimal("12.50")),)
    for past in ({}, {"price_value": Decimal(13)}, {"comments": "old"}):
        unknown = mend(row, None, ALL, past)
        assert (unknown.corrected, unknown.is_known) == (None, False)


def test_what_the_source_hides_is_left_and_said() -> None:
    """What it shows is mended all the same, and the hash stays to prove the rest one day."""
    row = _row(price_value=Decimal(1), location="mine")
    mended = mend(row, ParsedRecord.of(make_listing(location=None)), PUBLIC, {})
    assert not mended.is_known
    assert mended.corrected is not None
    assert [change.field for change in mended.corrected.fields] == ["price_value"]
    assert mended.corrected.content_hash == row.content_hash
    known = mend(row, ParsedRecord.of(make_listing(location=None)), PUBLIC, {"location": "000"})
    assert known.is_known


def test_a_row_that_contradicts_itself_is_drift() -> None:
    """For sale and gone, or missing and sold."""
    both = _row(lifecycle=ACTIVE._replace(sold_at=NOON, removal_reason="sold"))
    assert has_drifted(both)
    mended = mend(both, RECORD, ALL, {})
    assert mended.corrected is not None
    assert mended.corrected.lifecycle == ACTIVE
    odd = _row(lifecycle=GONE._replace(sold_at=NOON))
    assert has_drifted(odd)
    assert not mend(odd, None, ALL, {}).is_known
    past: dict[str, Any] = {"is_active": False, "removal_reason": "missing"}
    mended = mend(odd, None, ALL, {**past, "removed_at": NOON - timedelta(hours=1)})
    assert mended.is_known
    assert mended.corrected is not None
    assert mended.corrected.lifecycle == GONE._replace(removed_at=NOON - timedelta(hours=1))
    assert not has_drifted(_row(lifecycle=GONE._replace(sold_at=NOON, removal_reason="sold")))


def test_a_round_takes_a_week() -> None:
    """Its share covers all rows in fewer hours than a week has; a small shop is read each hour."""
    for rows in (16_001, 100_000, 1_000_000):
        assert Round(rows=rows).share * 7 * 24 >= rows
    assert Round(rows=100_000).share == 625
    assert Round(rows=30).share == MIN_ROWS_PER_RUN


def test_a_round_goes_on_where_the_report_says() -> None:
    """A report of an older version, or of another command, says nothing."""
    check = SlowCheck(rows=3, next=Round(after="44", rows=100))
    assert Round.of_report({"slow_check": check.to_json()}) == Round(after="44", rows=100)
    for report in (None, {}, {"slow_check": None}, {"slow_check": {"next_after": 4}}):
        assert Round.of_report(report) is None


@pytest.mark.parametrize(
    ("rows", "edited", "is_refused"), [(50, 26, True), (50, 25, False), (49, 49, False)]
)
def test_a_mass_drift_is_a_violation(rows: int, edited: int, *, is_refused: bool) -> None:
    """More than half of at least fifty rows, unless it is allowed."""
    check = SlowCheck(rows=rows, unknown=tuple(range(edited)))
    found = list(check_drift(check, Allowances()))
    assert [violation.option for violation in found] == ["--allow-mass-change"] * is_refused
    assert not list(check_drift(check, replace(Allowances(), mass_change=True)))
