"""A limit for a seller's first load: a listing has one seller, and its id is Discogs' own."""

from collections.abc import Iterator, Mapping

from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.limits import Violation

OTHER_SELLERS = "other_sellers_listings"


def is_first_load(changes: ChangeSet) -> bool:
    """Whether nothing of this seller was known."""
    is_known = changes.known_active or changes.compared or changes.left_purged
    return bool(changes.added) and not is_known


def check_other_sellers(
    changes: ChangeSet, seller: str, shared: Mapping[str, int], *, allowed: bool
) -> Iterator[Violation]:
    """Refuse a first load of listings that are known as other sellers'; `shared` counts them."""
    if allowed or not any(shared.values()):
        return
    other = max(shared, key=lambda name: shared[name])
    yield Violation(
        code=OTHER_SELLERS,
        text=f"{shared[other]:,} of {len(changes.added):,} listings are known as those of {other}: "
        f"{seller} may be another spelling (then use --seller {other}), or the shop's new name "
        "(then rename it first: docs/how-to/rename-a-seller.md)",
        option="--allow-shared-listings",
    )
