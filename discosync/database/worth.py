"""Add up what an inventory is worth."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from discosync.database.tables import listings


def load_inventory_value(connection: Connection, seller: str) -> dict[str, dict[str, Any]]:
    """Add up what is for sale, by currency."""
    c = listings.c
    cents = func.sum(func.round(c.price_value * 100))
    own = select(func.coalesce(c.price_currency, ""), func.count(), cents)
    groups = own.where(c.seller == seller, c.is_active).group_by(c.price_currency)
    return {
        currency: {"listings": count, "value": f"{Decimal(int(total or 0)) / 100:.2f}"}
        for currency, count, total in connection.execute(groups)
    }
