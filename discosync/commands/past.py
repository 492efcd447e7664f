"""`discosync history` and `discosync as-of`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from discosync.commands.steps.directories import is_there
from discosync.commands.steps.opening import opened
from discosync.core.moments import parse_past_moment
from discosync.core.past.history import PastChange
from discosync.core.past.purge import Purged
from discosync.core.planning.known import KnownListing
from discosync.database.connection.session import Session
from discosync.database.past.checkpoints import load_undone
from discosync.database.past.history import (
    load_changes_of_listings,
    load_first_moment,
    load_first_run_after,
    load_states,
)
from discosync.database.past.purging import load_purged
from discosync.database.rows.known import load_rows
from discosync.errors import UsageFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One listing's life: what the database holds of it now, and every change.

    A listing that was purged is not there, and its history with it: `purged` says where they are.
    """

    seller: str
    listing_id: int
    now: KnownListing | None
    changes: list[PastChange]
    purged: Purged | None

    def to_json(self) -> dict[str, Any]:
        """Give its changes, oldest first."""
        purged = self.purged
        return {
            "listing_id": self.listing_id,
            "seller": self.seller,
            "purged": None
            if purged is None
            else {"run_id": purged.run_id, "archive": purged.archive},
            "changes": [change.to_json() for change in self.changes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInventory:
    """The inventory at a moment; its listings can be gone through once."""

    seller: str
    as_of: datetime
    listings: Iterator[dict[str, Any]]


def load_life(config: Path | None, listing_id: int, *, seller: str | None) -> Life:
    """Load a listing's life; raise `UsageFault` for one that the database never saw."""
    with opened(config, seller=seller) as at:
        now = next(load_rows(at.session, at.seller, [listing_id]), None)
        changes = list(load_changes_of_listings(at.session, at.seller, [listing_id]))
        purged = load_purged_listing(at.session, at.seller, listing_id, config=config)
    if now is None and not changes and purged is None:
        raise UsageFault(
            f"{at.seller} has no listing {listing_id} in {at.database.shown}",
            hint="check the number; --seller names another seller",
            code="unknown_listing",
        )
    return Life(seller=at.seller, listing_id=listing_id, now=now, changes=changes, purged=purged)


def _known_before(
    known: Iterator[dict[str, Any]], begin: datetime | None, seller: str
) -> Iterator[dict[str, Any]]:
    """Give what was known before the first sync; raise `UsageFault` when that is nothing.

    Only an adopted database of the old shop holds something then: its rows carry no beginning.
    """
    first = next(known, None)
    if first is not None:
        return chain([first], known)
    since = "yet" if begin is None else f"before {begin:%Y-%m-%dT%H:%M:%S} UTC"
    raise UsageFault(
        f"nothing is known of {seller} {since}",
        hint="`discosync sync` is the first to see it" if begin is None else "name a later moment",
        code="bad_moment",
    )


def load_purged_listing(
    session: Session, seller: str, listing_id: int, *, config: Path | None
) -> Purged | None:
    """Say where a purged listing is: an archive that has moved is asked for by its name alone."""
    purged = load_purged(session, seller, listing_id)
    if purged is None:
        return None
    file = purged.file if is_there(Path(purged.file)) else purged.archive
    return replace(purged, file=file, config=config)


@contextmanager
def inventory_at(
    config: Path | None, when: str, *, seller: str | None, with_inactive: bool
) -> Iterator[PastInventory]:
    """Load the inventory as it stood at a moment: what was for sale, or all that was known."""
    try:
        moment = parse_past_moment(when, now=datetime.now(UTC))
    except ValueError as exc:
        raise UsageFault(str(exc), code="bad_moment") from exc
    with opened(config, seller=seller) as at:
        first = load_first_run_after(at.session, at.seller, moment)
        undone = load_undone(at.session, at.seller, first)
        states = load_states(at.session, at.seller)
        known: Iterator[dict[str, Any]] = filter(
            lambda state: undone.apply_to(state["listing_id"], state), states
        )
        begin = load_first_moment(at.session, at.seller)
        if begin is None or moment < begin:
            known = _known_before(known, begin, at.seller)
        past = (state for state in known if with_inactive or state["is_active"])
        yield PastInventory(seller=at.seller, as_of=moment, listings=past)
