"""How many requests each way to Discogs needs, counted by the sandbox that answers them."""

import json
import urllib.request
from dataclasses import dataclass

from benchmarks.harness.sandboxed import sync_from
from discosync.core.inventory.source_choice import PER_PAGE
from discosync.sandbox.inventory import make_inventory
from discosync.sandbox.server import SandboxServer, serving
from discosync.sandbox.state import SandboxState

_SIZES = (170, 420)
_OLD_PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCalls:
    """Requests of one run; `before_pages` are those that are no page of the walk."""

    by_export: int
    by_pages: int
    before_pages: int
    old_shop: int


def count_api_calls(listings: int, for_sale: int) -> ApiCalls:
    """Count on two small shops; give the numbers for one with so many listings.

    discosync looks at pages of 100 of what is For Sale, the old shop at pages of 50 of all.
    Raises `RuntimeError` when the two shops do not follow the same rule.
    """
    counted = [_count(size) for size in _SIZES]
    rules = {(calls.by_export, calls.before_pages) for calls in counted}
    old = [calls.old_shop for calls in counted]
    if len(rules) != 1 or old != [_pages(size, _OLD_PER_PAGE) for size in _SIZES]:
        raise RuntimeError(f"no rule fits both {counted}")
    by_export, before_pages = rules.pop()
    return ApiCalls(
        by_export=by_export,
        by_pages=_pages(for_sale, PER_PAGE) + before_pages,
        before_pages=before_pages,
        old_shop=_pages(listings, _OLD_PER_PAGE),
    )


def _pages(items: int, per_page: int) -> int:
    return -(-items // per_page)


def _count(size: int) -> ApiCalls:
    state = SandboxState(seller="bench", inventory=make_inventory(size))
    for_sale = sum(x.is_for_sale for x in state.inventory)
    with serving(state) as server:
        by_pages = _sync(server, state, "pages")
        return ApiCalls(
            by_export=_sync(server, state, "export"),
            by_pages=by_pages,
            before_pages=by_pages - _pages(for_sale, PER_PAGE),
            old_shop=_walk(server, state),
        )


def _sync(server: SandboxServer, state: SandboxState, source: str) -> int:
    """Let discosync sync a fresh database from the sandbox."""
    state.requests.clear()
    sync_from(server.url, state, source)
    return len(state.requests)


def _walk(server: SandboxServer, state: SandboxState) -> int:
    """Walk through the pages as the old shop did: as many listings a page as by default."""
    state.requests.clear()
    page, pages = 0, 1
    while page < pages:
        page += 1
        path = f"/users/{state.seller}/inventory?page={page}&per_page={_OLD_PER_PAGE}"
        request = urllib.request.Request(  # noqa: S310 - the sandbox's address
            server.url + path, headers={"Authorization": f"Discogs token={state.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            pages = int(json.load(answer)["pagination"]["pages"])
    return len(state.requests)
