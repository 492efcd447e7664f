"""A limit for a seller's first load: a listing has one seller, and its id is Discogs' own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.limits import Violation

OTHER_SELLERS = "other_sellers_listings"
_MASS_MIN_LISTINGS = 50
"""Fewer are only noted: they may be the same by chance, or somebody tries discosync out."""


def is_first_load(changes: ChangeSet) -> bool:
    """Whether nothing of this seller was known."""
    is_known = changes.known_active or changes.compared or changes.left_purged
    return bool(changes.added) and not is_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How many listings of a first load are known as those of `other`, out of how many."""

    seller: str
    other: str
    listings: int
    added: int

    @property
    def are_many(self) -> bool:
        """Whether somebody should look at them."""
        return self.listings >= _MASS_MIN_LISTINGS

    @property
    def is_mass(self) -> bool:
        """Whether it looks like one shop under two names: most listings, and not only a few."""
        return self.are_many and 2 * self.listings > self.added

    def __str__(self) -> str:
        """Say what it is, and what to do."""
        return (
            f"{self.listings:,} of {self.added:,} listings are known as those of {self.other}: "
            f"{self.seller} may be another spelling (then use --seller {self.other}), or the "
            "shop's new name (then rename it first: docs/how-to/rename-a-seller.md)"
        )


def find_shared(changes: ChangeSet, seller: str, counts: Mapping[str, int]) -> Shared | None:
    """Return the seller whose listings a first load shares the most; None when there is none."""
    if not any(counts.values()):
        return None
    other = max(counts, key=lambda name: counts[name])
    return Shared(seller=seller, other=other, listings=counts[other], added=len(changes.added))


def check_shared(shared: Shared, *, allowed: bool) -> Iterator[Violation]:
    """Refuse a first load that looks like one shop under two names."""
    if shared.is_mass and not allowed:
        yield Violation(code=OTHER_SELLERS, text=str(shared), option="--allow-shared-listings")
