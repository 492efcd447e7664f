"""One listing, by its id: whether Discogs still has it, and with which status.

`GET /marketplace/listings/{id}` (Discogs' API documentation, marketplace listing). A listing that
is not there answers 404 with a JSON `message`; somebody else's draft answers 401 (both recorded,
August 2026). Whether every deleted listing answers 404 is not documented.
"""

from collections.abc import Mapping
from typing import Any

from discosync.core.inventory.listing import FOR_SALE
from discosync.core.planning.absence import LookUp, Verdict
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.errors import AuthRefused, BadData, RateLimited, RequestsUsedUp, SourceUnavailable

LOOKUP_PATIENCE = Patience(attempts=3, total_seconds=60.0, read_timeout_seconds=30.0)
"""One listing of hundreds: it is asked for again in the next run."""

_MAX_STATUS_LETTERS = 50


def look_up_listing(transport: Transport, listing_id: int, *, seller: str) -> LookUp:
    """Ask Discogs for one listing; an answer that cannot be relied on is `Verdict.UNPROVEN`.

    Raises `RateLimited` and `RequestsUsedUp`: after these no other listing should be asked for.
    """
    try:
        shown, answer = transport.get_json(
            f"/marketplace/listings/{listing_id}", also=frozenset({404})
        )
    except (RateLimited, RequestsUsedUp):
        raise
    except AuthRefused as refused:
        return LookUp(listing_id=listing_id, verdict=Verdict.UNPROVEN, why=refused.message)
    except (SourceUnavailable, BadData) as failed:
        return LookUp(
            listing_id=listing_id, verdict=Verdict.UNPROVEN, why=failed.message, has_failed=True
        )
    # One of Discogs' own: that of a proxy or a firewall is no answer for the transport.
    if answer.status == 404:
        return LookUp(listing_id=listing_id, verdict=Verdict.GONE)
    return _read_listing(listing_id, shown, seller=seller)


def _read_listing(listing_id: int, shown: Mapping[str, Any], *, seller: str) -> LookUp:
    status, owner = shown.get("status"), _owner_of(shown)
    why = ""
    if str(shown.get("id")) != str(listing_id):
        why = "Discogs answered for another listing"
    elif owner is not None and owner.casefold() != seller.casefold():
        why = "Discogs answered with another seller's listing"
    elif not isinstance(status, str) or not _is_status(status):
        why = "Discogs answered without a status"
    if why or not isinstance(status, str):
        return LookUp(listing_id=listing_id, verdict=Verdict.UNPROVEN, why=why)
    is_for_sale = status.casefold() == FOR_SALE.casefold()
    verdict = Verdict.FOR_SALE if is_for_sale else Verdict.NOT_FOR_SALE
    return LookUp(listing_id=listing_id, verdict=verdict, status=status)


def _owner_of(shown: Mapping[str, Any]) -> str | None:
    seller = shown.get("seller")
    name = seller.get("username") if isinstance(seller, dict) else None
    return name if isinstance(name, str) else None


def _is_status(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_STATUS_LETTERS and text.isprintable()
