"""How a run changed the prices of active listings, by currency."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from discosync.core.planning.changes import Rewrite


def count_price_changes(updated: Iterable[Rewrite]) -> dict[str, dict[str, Any]]:
    """Return, by currency, how many prices rose and fell, and the sum of the differences.

    The currency is "" where it is unknown.
    """
    raised: dict[str, int] = defaultdict(int)
    lowered: dict[str, int] = defaultdict(int)
    difference: dict[str, Decimal] = defaultdict(Decimal)
    for change in updated:
        prices = next((c for c in change.fields if c.field == "price_value"), None)
        # The price of a draft or a sold listing is none that a buyer sees.
        if prices is None or not change.lifecycle.is_active:
            continue
        before, after = prices.before, prices.after
        if isinstance(before, Decimal) and isinstance(after, Decimal):
            currency = change.currency or ""
            raised[currency] += after > before
            lowered[currency] += after < before
            difference[currency] += after - before
    return {
        currency: {
            "raised": raised[currency],
            "lowered": lowered[currency],
            "difference": f"{total:.2f}",
        }
        for currency, total in sorted(difference.items())
    }
