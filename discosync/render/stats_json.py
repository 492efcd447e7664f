"""The figures of `stats` as one JSON object."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from discosync.core.past.stats import Group, Period, Stats
from discosync.core.reporting.change_entry import json_value


def stats_json(stats: Stats) -> dict[str, Any]:
    """Give all figures: amounts as text, shares from 0 to 1."""
    return {
        "seller": stats.seller,
        "since": json_value(stats.since),
        "until": json_value(stats.until),
        "active": stats.active,
        "value": _plain(stats.value),
        "offered": stats.offered,
        "sold": stats.sold,
        "amounts": _plain(stats.amounts),
        "sell_through": round(stats.sell_through, 4),
        "sold_undated": stats.sold_undated,
        "never_offered": dict(stats.never_offered),
        "purged": stats.purged,
        "weeks": [_period_json(period) for period in stats.weeks],
        "months": [_period_json(period) for period in stats.months],
        "by_format": [_group_json(group) for group in stats.by_format],
        "by_label": [_group_json(group) for group in stats.by_label],
        "by_price": [_group_json(group) for group in stats.by_price],
        "price_changes": [
            {
                "month": m.month,
                "currency": m.currency,
                "raised": m.raised,
                "lowered": m.lowered,
                "difference": f"{m.difference:.2f}",
            }
            for m in stats.price_moves
        ],
        "inventory_value": [
            {"week": p.week, "currency": p.currency, "listings": p.listings, "value": f"{p.value}"}
            for p in stats.values
        ],
    }


def _plain(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:.2f}" for currency, amount in amounts.items()}


def _period_json(period: Period) -> dict[str, Any]:
    return {
        "period": period.name,
        "sold": period.sold,
        "amounts": _plain(period.amounts),
        "removed": dict(period.removed),
    }


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "sold": group.sold,
        "offered": group.offered,
        "sell_through": round(group.sell_through, 4),
        "median_days_to_sell": None if group.days is None else round(group.days, 1),
        "amounts": _plain(group.amounts),
    }
