"""`discosync history`: one listing's life, change by change."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discosync.commands.steps.opening import open_to_read
from discosync.commands.steps.purged_listing import load_purged_listing
from discosync.core.past.history import PastChange
from discosync.core.past.purge import Purged
from discosync.core.planning.known import KnownListing
from discosync.database.past.history import (
    load_changes_of_listings,
)
from discosync.database.rows.known import load_rows
from discosync.errors import UsageFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One listing's life: what the database holds of it now, and every change.

    A purge deletes a listing together with its history. `purged` then names the archive that holds
    both.
    """

    seller: str
    listing_id: int
    now: KnownListing | None
    changes: list[PastChange]
    purged: Purged | None

    def to_json(self) -> dict[str, Any]:
        """Return its changes, oldest first."""
        purged = self.purged
        return {
            "listing_id": self.listing_id,
            "seller": self.seller,
            "purged": None
            if purged is None
            else {"run_id": purged.run_id, "archive": purged.archive},
            "changes": [change.to_json() for change in self.changes],
        }


def load_life(config: Path | None, listing_id: int, *, seller: str | None) -> Life:
    """Load a listing's life; raise `UsageFault` for one that the database never saw."""
    with open_to_read(config, seller=seller) as target:
        now = next(load_rows(target.session, target.seller, [listing_id]), None)
        changes = list(load_changes_of_listings(target.session, target.seller, [listing_id]))
        purged = load_purged_listing(target.session, target.seller, listing_id, config=config)
    if now is None and not changes and purged is None:
        raise UsageFault(
            f"{target.seller} has no listing {listing_id} in {target.database.shown}",
            hint="check the number; --seller names another seller",
            code="unknown_listing",
        )
    return Life(
        seller=target.seller, listing_id=listing_id, now=now, changes=changes, purged=purged
    )
