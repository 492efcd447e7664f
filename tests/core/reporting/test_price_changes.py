"""Price changes are counted by currency, of what is for sale only."""

from decimal import Decimal

from discosync.core.planning.changes import ACTIVE, FieldChange, Lifecycle, Updated
from discosync.core.reporting.price_changes import count_price_changes

GONE = Lifecycle(is_active=False, removed_at=None, removal_reason="draft", sold_at=None)


def _updated(
    before: str | None,
    after: str,
    currency: str | None = "EUR",
    lifecycle: Lifecycle = ACTIVE,
    field: str = "price_value",
) -> Updated:
    change = FieldChange(field, None if before is None else Decimal(before), Decimal(after))
    return Updated(
        listing_id=1,
        heading="",
        fields=(change,),
        lifecycle=lifecycle,
        content_hash="",
        expected_hash=None,
        currency=currency,
    )


def test_prices_are_counted_by_currency() -> None:
    """Differences are exact; an unknown currency has an empty name."""
    changes = [
        _updated("1.10", "1.30"),
        _updated("9.00", "8.95"),
        _updated("1000", "900", "JPY"),
        _updated("1", "2", None),
    ]
    assert count_price_changes(changes) == {
        "": {"raised": 1, "lowered": 0, "difference": "1.00"},
        "EUR": {"raised": 1, "lowered": 1, "difference": "0.15"},
        "JPY": {"raised": 0, "lowered": 1, "difference": "-100.00"},
    }


def test_what_is_no_price_change_does_not_count() -> None:
    """A draft's price, a price that was unknown, and another field."""
    assert count_price_changes([_updated("1", "2", lifecycle=GONE)]) == {}
    assert count_price_changes([_updated(None, "2")]) == {}
    assert count_price_changes([_updated("1", "2", field="weight")]) == {}
