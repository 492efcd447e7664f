"""`discosync as-of`: the inventory as it stood at a past moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from discosync.commands.steps.opening import open_to_read
from discosync.core.moments import parse_past_moment
from discosync.database.past.checkpoints import load_undone
from discosync.database.past.history import (
    load_first_moment,
    load_first_run_after,
    load_states,
)
from discosync.errors import UsageFault


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInventory:
    """The inventory at a moment; `listings` can be read once."""

    seller: str
    as_of: datetime
    listings: Iterator[dict[str, Any]]


@contextmanager
def inventory_at(
    config: Path | None, when: str, *, seller: str | None, with_inactive: bool
) -> Iterator[PastInventory]:
    """Load the inventory as it stood at a moment; with `with_inactive` also what was not for sale.

    Raises `UsageFault` for a text that names no past moment, and for one before all history.
    """
    try:
        moment = parse_past_moment(when, now=datetime.now(UTC))
    except ValueError as exc:
        raise UsageFault(str(exc), code="bad_moment") from exc
    with open_to_read(config, seller=seller) as target:
        # No past state is stored: it is the present one with every change since then undone.
        first = load_first_run_after(target.session, target.seller, moment)
        undone = load_undone(target.session, target.seller, first)
        states = load_states(target.session, target.seller)
        known: Iterator[dict[str, Any]] = filter(
            lambda state: undone.apply_to(state["listing_id"], state), states
        )
        begin = load_first_moment(target.session, target.seller)
        # An empty answer for a time before the first sync would look like an empty shop.
        if begin is None or moment < begin:
            known = _known_before(known, begin, target.seller)
        past = (state for state in known if with_inactive or state["is_active"])
        yield PastInventory(seller=target.seller, as_of=moment, listings=past)


def _known_before(
    known: Iterator[dict[str, Any]], begin: datetime | None, seller: str
) -> Iterator[dict[str, Any]]:
    """Return the listings known before the first sync; raise `UsageFault` when there is none.

    Only an adopted database of an old shop holds listings of that time: its rows have no date.
    """
    first = next(known, None)
    if first is not None:
        return chain([first], known)
    since = "yet" if begin is None else f"before {begin:%Y-%m-%dT%H:%M:%S} UTC"
    raise UsageFault(
        f"nothing is known of {seller} {since}",
        hint="run `discosync sync` first" if begin is None else "name a later moment",
        code="bad_moment",
    )
