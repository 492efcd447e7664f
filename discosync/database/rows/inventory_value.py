"""Add up what a seller's inventory is worth."""

from decimal import Decimal
from typing import Any

from discosync.database.connection.session import Session


def load_inventory_value(session: Session, seller: str) -> dict[str, dict[str, Any]]:
    """Add up what is for sale, by currency: how many listings, and the sum of their prices."""
    groups = session.execute(
        "SELECT coalesce(price_currency, ''), count(*), sum(round(price_value * 100)) "
        "FROM listings WHERE seller = :seller AND is_active GROUP BY price_currency",
        seller=seller,
    )
    return {
        currency: {"listings": count, "value": f"{Decimal(int(total or 0)) / 100:.2f}"}
        for currency, count, total in groups
    }
