"""The export files of a made-up shop: the first one, and what the hour after it may bring.

| case | the file, after `first` has been loaded |
| --- | --- |
| first | everything, into an empty database |
| other | other bytes, same content: `listed` of three records moved by an hour |
| identical | the bytes of `first` again |
| changed | 10% with another price and comment, 1% gone, 1% new |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from random import Random

from discosync.core.inventory.listing import Listing
from discosync.sandbox.answers import render_csv
from discosync.sandbox.inventory import make_inventory


class Case(StrEnum):
    """What is timed."""

    FIRST = "first"
    OTHER = "other"
    IDENTICAL = "identical"
    CHANGED = "changed"


TITLES = {
    Case.FIRST: "first load",
    Case.OTHER: "unchanged hour, other bytes",
    Case.IDENTICAL: "identical bytes again",
    Case.CHANGED: "10% changed, 1% removed, 1% new",
}

ForSale = dict[int, tuple[Decimal, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file, and its listings for sale: listing id → price and comments."""

    path: Path
    for_sale: ForSale


def make_exports(directory: Path, count: int) -> dict[Case, Export]:
    """Write the files; the same count gives the same bytes."""
    new = max(1, count // 100)
    everything = make_inventory(count + new)
    first = everything[:count]
    shops = {
        Case.FIRST: first,
        Case.OTHER: _touch(first),
        Case.CHANGED: [*_change(first), *everything[count:]],
    }
    directory.mkdir(parents=True, exist_ok=True)
    exports = {case: _write(directory / f"{case}.csv", shop) for case, shop in shops.items()}
    return exports | {Case.IDENTICAL: exports[Case.FIRST]}


def _write(path: Path, shop: Sequence[Listing]) -> Export:
    path.write_bytes(render_csv(shop))
    for_sale = {x.listing_id: (x.price_value, x.comments or "") for x in shop if x.is_for_sale}
    return Export(path=path, for_sale=for_sale)


def _touch(shop: Sequence[Listing]) -> list[Listing]:
    touched = {0, len(shop) // 2, len(shop) - 1}
    return [_relisted(x) if i in touched else x for i, x in enumerate(shop)]


def _relisted(listing: Listing) -> Listing:
    assert listing.posted is not None
    return replace(listing, posted=listing.posted + timedelta(hours=1))


def _change(shop: Sequence[Listing]) -> list[Listing]:
    rng = Random("benchmark")
    changed, gone = len(shop) // 10, max(1, len(shop) // 100)
    picked = rng.sample(range(len(shop)), changed + gone)
    cheaper, removed = set(picked[:changed]), set(picked[changed:])
    return [
        replace(x, price_value=x.price_value + 1, comments=f"{x.comments} Price moved.")
        if i in cheaper
        else x
        for i, x in enumerate(shop)
        if i not in removed
    ]
