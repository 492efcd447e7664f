"""Statistics of a seller: what sold, how fast, and for how much.

Amounts are `Decimal`, by currency; a listing without a known currency counts under "". Two kinds of
listings are counted apart: those sold before discosync first saw them, because their date of sale
is unknown, and those that it has never seen for sale, such as drafts.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from discosync.core.past.value_history import (
    PriceMoves,
    RunFigures,
    ValuePoint,
    follow_values,
    month_of,
    week_of,
)

PRICE_BANDS = (
    (5, "under 5"),
    (10, "5 to 10"),
    (20, "10 to 20"),
    (50, "20 to 50"),
    (100, "50 to 100"),
)
_TOP_BAND = "100 and more"
_UNNAMED = "(none)"


class StatRow(NamedTuple):
    """What statistics need of one listing; every datetime has a zone."""

    is_active: bool
    removal_reason: str | None
    removed_at: datetime | None
    sold_at: datetime | None
    price: Decimal | None
    currency: str
    primary_format: str | None
    primary_label: str | None
    listed_at: datetime | None
    """The earlier of `posted`, which Discogs renews at an edit, and the first time it was seen."""
    was_offered: bool = True
    """Whether discosync has ever seen it for sale; not filled in for a sold listing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A week or a month: sales, their amounts by currency, and other removals by reason."""

    name: str
    sold: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Listings of one format, label or price band: how many sold, of how many offered, how fast.

    `days` is the median from listing to sale, None if no sale has both dates.
    """

    name: str
    sold: int
    offered: int
    days: float | None
    amounts: Mapping[str, Decimal]

    @property
    def sell_through(self) -> float:
        """The share of the offered listings that sold, 0.0 to 1.0."""
        return self.sold / self.offered if self.offered else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """All statistics of one seller between two moments.

    `never_offered` counts by reason the listings that discosync has never seen for sale.
    """

    seller: str
    since: datetime
    until: datetime
    active: int
    value: Mapping[str, Decimal]
    offered: int
    sold: int
    amounts: Mapping[str, Decimal]
    sold_undated: int
    never_offered: Mapping[str, int]
    purged: int
    weeks: Sequence[Period]
    months: Sequence[Period]
    by_format: Sequence[Group]
    by_label: Sequence[Group]
    by_price: Sequence[Group]
    price_moves: Sequence[PriceMoves]
    values: Sequence[ValuePoint]

    @property
    def sell_through(self) -> float:
        """The share of all offered listings that sold, 0.0 to 1.0."""
        return self.sold / self.offered if self.offered else 0.0


def compute_stats(
    seller: str,
    rows: Iterable[StatRow],
    runs: Iterable[RunFigures],
    *,
    since: datetime,
    until: datetime,
    purged: int = 0,
) -> Stats:
    """Compute the statistics from a seller's listings and the figures that his runs noted."""
    everything = list(rows)
    # Sold listings count by their date of sale; others that went, if they ever were for sale.
    sold = [r for r in everything if r.sold_at is not None and since <= r.sold_at <= until]
    unsold = [r for r in everything if not r.is_active and r.removal_reason != "sold"]
    offered_once = (r for r in unsold if r.was_offered)
    gone = [r for r in offered_once if r.removed_at and since <= r.removed_at <= until]
    active = [r for r in everything if r.is_active]
    # What was sold or removed before `since` was not on offer in this time.
    offered = [*active, *gone, *sold]
    moves, values = follow_values(runs, since=since)
    return Stats(
        seller=seller,
        since=since,
        until=until,
        active=len(active),
        value=_amounts(active),
        offered=len(offered),
        sold=len(sold),
        amounts=_amounts(sold),
        sold_undated=sum(r.removal_reason == "sold" and r.sold_at is None for r in everything),
        never_offered=_by_reason(r for r in unsold if not r.was_offered),
        purged=purged,
        weeks=_periods(sold, gone, week_of, _days(since, until)),
        months=_periods(sold, gone, month_of, _days(since, until)),
        by_format=_groups(offered, lambda r: r.primary_format or _UNNAMED),
        by_label=_groups(offered, lambda r: r.primary_label or _UNNAMED),
        by_price=_groups(offered, _band, order=_band_order),
        price_moves=moves,
        values=values,
    )


def _days(since: datetime, until: datetime) -> list[datetime]:
    # A hundred years at most: `--since` may name the year 1, and each day is a step here.
    count = min((until - since).days + 1, 36_525)
    return [until - timedelta(days=back) for back in range(count, -1, -1)]


def _by_reason(rows: Iterable[StatRow]) -> dict[str, int]:
    return dict(sorted(Counter(row.removal_reason or "unknown" for row in rows).items()))


def _amounts(rows: Iterable[StatRow]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.price is not None:
            totals[row.currency] += row.price
    return dict(sorted(totals.items()))


def _periods(
    sold: Sequence[StatRow],
    gone: Sequence[StatRow],
    name_of: Callable[[datetime], str],
    days: Sequence[datetime],
) -> list[Period]:
    """Return the periods from the first one with a sale or a removal, empty ones included."""
    sold_in: dict[str, list[StatRow]] = defaultdict(list)
    gone_in: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in sold:
        if row.sold_at is not None:
            sold_in[name_of(row.sold_at)].append(row)
    for row in gone:
        if row.removed_at is not None:
            gone_in[name_of(row.removed_at)][row.removal_reason or "unknown"] += 1
    names = list(dict.fromkeys(name_of(day) for day in days))
    # Nothing happened before discosync knew the shop: begin with the first sale or removal.
    used = [name in sold_in or name in gone_in for name in names]
    begin = used.index(True) if any(used) else len(names)
    return [
        Period(
            name=name,
            sold=len(sold_in[name]),
            amounts=_amounts(sold_in[name]),
            removed=dict(sorted(gone_in[name].items())),
        )
        for name in names[begin:]
    ]


def _band(row: StatRow) -> str:
    if row.price is None:
        return _UNNAMED
    band = next((name for limit, name in PRICE_BANDS if row.price < limit), _TOP_BAND)
    return f"{band} {row.currency}".rstrip()


def _band_order(group: Group) -> tuple[str, int]:
    # By currency, then by price; listings without a price come last ("~" sorts behind letters).
    names = [*(name for _, name in PRICE_BANDS), _TOP_BAND]
    band = next((i for i, name in enumerate(names) if group.name.startswith(name)), len(names))
    return group.name.removeprefix(names[band]).strip() if band < len(names) else "~", band


def _by_sold(group: Group) -> tuple[int, int, str]:
    return -group.sold, -group.offered, group.name


def _groups(
    offered: Iterable[StatRow],
    name_of: Callable[[StatRow], str],
    *,
    order: Callable[[Group], tuple[object, ...]] = _by_sold,
) -> list[Group]:
    rows_by_name: dict[str, list[StatRow]] = defaultdict(list)
    for row in offered:
        rows_by_name[name_of(row)].append(row)
    groups = [_group(name, rows) for name, rows in rows_by_name.items()]
    return sorted(groups, key=order)


def _group(name: str, rows: Sequence[StatRow]) -> Group:
    sold = [row for row in rows if row.sold_at is not None and not row.is_active]
    # An edit after the sale may have renewed the date of listing: such a pair says nothing.
    days = [
        (row.sold_at - row.listed_at).total_seconds() / 86_400
        for row in sold
        if row.sold_at is not None and row.listed_at is not None and row.sold_at >= row.listed_at
    ]
    return Group(
        name=name,
        sold=len(sold),
        offered=len(rows),
        days=median(days) if days else None,
        amounts=_amounts(sold),
    )
