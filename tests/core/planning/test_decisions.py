"""What one record means for one stored row: a table of cases."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    PRIVATE_FIELDS,
    Listing,
    content_hash,
)
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.planning.changes import (
    ACTIVE,
    Completed,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    Updated,
)
from discosync.core.planning.decisions import Decider
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from tests.support.shop import NOON, make_listing

EVERYTHING = frozenset(CONTENT_FIELDS + EXTRA_FIELDS)
GONE = Lifecycle(False, NOON - timedelta(days=1), "missing", None)
SHOWN = make_listing()


def _row(listing: Listing, lifecycle: Lifecycle = ACTIVE) -> KnownListing:
    return KnownListing(
        listing_id=listing.listing_id,
        content_hash=content_hash(listing),
        lifecycle=lifecycle,
        values=tuple(getattr(listing, field) for field in STORED_FIELDS),
    )


def _decide(
    row: KnownListing, shown: Listing, *, sees: frozenset[str] = EVERYTHING, trust_hash: bool = True
) -> Rewrite | None:
    decider = Decider(sees=sees, as_of=NOON, trust_hash=trust_hash)
    return decider.decide(row, ParsedRecord.of(shown))


@pytest.mark.parametrize(
    ("row", "shown", "kind"),
    [
        (_row(SHOWN), replace(SHOWN, price_value=Decimal(1)), Updated),
        (_row(SHOWN), replace(SHOWN, status="Sold"), Removed),
        (_row(SHOWN, GONE), SHOWN, Reactivated),
        (_row(SHOWN, GONE), replace(SHOWN, status="Sold"), Updated),
        (_row(replace(SHOWN, release_year=None)), SHOWN, Completed),
        (_row(SHOWN)._replace(content_hash="0:old"), SHOWN, Completed),
        (_row(SHOWN), SHOWN, type(None)),
        (_row(SHOWN), replace(SHOWN, release_year=None), type(None)),
    ],
)
def test_the_kind_of_a_decision(row: KnownListing, shown: Listing, kind: type) -> None:
    """Gone, back, changed, completed, or nothing: in this order."""
    assert type(_decide(row, shown)) is kind


def test_without_trust_every_row_is_written() -> None:
    """With the flag USE_CONTENT_HASH off an equal row is rewritten, which is no change."""
    decision = _decide(_row(SHOWN), SHOWN, trust_hash=False)
    assert isinstance(decision, Completed)
    assert not decision.fills_in


def test_a_source_that_shows_less_takes_nothing_away() -> None:
    """Private fields that the source hides stay as they are, and are in the new hash."""
    shown = replace(SHOWN, price_value=Decimal(1), location=None, external_id=None)
    decision = _decide(_row(SHOWN), shown, sees=EVERYTHING - PRIVATE_FIELDS)
    assert isinstance(decision, Updated)
    assert [change.field for change in decision.fields] == ["price_value"]
    assert decision.content_hash == content_hash(replace(SHOWN, price_value=Decimal(1)))


@pytest.mark.parametrize(
    ("fields", "keeps"),
    [({"price_value": Decimal(1)}, True), ({"status": "Sold"}, False), ({"release_id": 1}, False)],
)
def test_indexed_columns_are_kept_where_they_are_the_same(
    fields: dict[str, Any],
    keeps: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Status, release and `is_active` are written only when one of them changes."""
    decision = _decide(_row(SHOWN), replace(SHOWN, **fields))
    assert decision is not None
    assert decision.keeps_indexed is keeps


def test_a_missing_listing_is_deactivated_and_not_called_sold() -> None:
    """A snapshot that lacks a listing says nothing about why."""
    removed = Decider(sees=EVERYTHING, as_of=NOON, trust_hash=True).remove(_row(SHOWN))
    assert removed.lifecycle == Lifecycle(False, NOON, "missing", None)
    assert not removed.in_snapshot


@pytest.mark.parametrize("shown", [replace(SHOWN, price_value=Decimal(1)), SHOWN])
def test_a_decision_carries_what_writing_it_needs(shown: Listing) -> None:
    """Heading, currency, the hash that the row had, and whether something is filled in."""
    row = _row(replace(SHOWN, release_year=None))._replace(content_hash="1:before")
    decision = _decide(row, shown)
    assert decision is not None
    assert (decision.heading, decision.currency) == (SHOWN.heading, "EUR")
    assert (decision.expected_hash, decision.content_hash) == ("1:before", content_hash(shown))
    if isinstance(decision, Completed):
        assert decision.fills_in


@pytest.mark.parametrize(
    ("currency", "sees", "told"),
    [
        ("USD", EVERYTHING, "USD"),
        ("USD", EVERYTHING - {"price_currency"}, "EUR"),
        (None, EVERYTHING, None),
    ],
)
def test_currency_is_the_sources_where_it_shows_one(
    currency: str | None, sees: frozenset[str], told: str | None
) -> None:
    """A source that hides the currency leaves the row's."""
    shown = replace(SHOWN, price_value=Decimal(1), price_currency=currency)
    decision = _decide(_row(SHOWN), shown, sees=sees)
    assert decision is not None
    assert decision.currency == told


def test_removal_tells_what_it_changes_and_keeps_the_hash() -> None:
    """The row's content stays as it was, and so does its hash; a row without one has none."""
    decider = Decider(sees=EVERYTHING, as_of=NOON, trust_hash=True)
    removed = decider.remove(_row(SHOWN))
    assert [(c.field, c.before, c.after) for c in removed.fields] == [
        ("is_active", True, False),
        ("removed_at", None, NOON),
        ("removal_reason", None, "missing"),
    ]
    assert removed.heading == SHOWN.heading
    assert removed.content_hash == removed.expected_hash == content_hash(SHOWN)
    bare = decider.remove(_row(SHOWN)._replace(content_hash=None))
    assert (bare.content_hash, bare.expected_hash) == ("", None)


@pytest.mark.parametrize(
    ("hides", "stored", "is_written"),
    [
        (True, content_hash(make_listing(1)), False),
        (True, "0:old", True),
        (True, None, True),
        (False, content_hash(make_listing(1)), True),
        (False, "0:old", True),
    ],
)
def test_a_hash_is_renewed_unless_it_may_prove_an_edit(
    stored: str | None,
    hides: bool,  # noqa: FBT001 - a column of the table
    is_written: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A source that hides a field leaves a hash that differs: another program may have edited."""
    sees = EVERYTHING - {"location"} if hides else EVERYTHING
    decision = _decide(_row(SHOWN)._replace(content_hash=stored), SHOWN, sees=sees)
    assert isinstance(decision, Completed) is is_written
