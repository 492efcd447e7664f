"""A walk through the pages is complete, or says why it is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from discosync.core.inventory.listing import Listing
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.progress import NoProgress
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.pages import PagesRequest, fetch_first_page, fetch_pages
from discosync.discogs.inventory.spool import Spool
from discosync.errors import BadData, NotReady, SourceUnavailable
from discosync.files.snapshot import open_snapshot
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.shop import SELLER, make_listing, make_shop

PAGES = f"/users/{SELLER}/inventory"
GONE = '{"message": "The requested resource was not found."}'


@pytest.fixture
def transport(sandbox: SandboxServer) -> Iterator[Transport]:
    """The way to a shop of three pages."""
    sandbox.state.inventory = make_shop(250)
    opened = Transport(base_url=sandbox.url, token=TOKEN, patience=Patience(attempts=1))
    yield opened
    opened.close()


def _fetch(transport: Transport, directory: Path, *, is_owner: bool = True) -> Snapshot:
    spool = Spool(directory / "spool")
    spool.prepare()
    request = PagesRequest(
        seller=SELLER,
        first=fetch_first_page(transport, SELLER),
        spool=spool,
        is_owner=is_owner,
        progress=NoProgress(),
    )
    return fetch_pages(transport, request)


def _ids(snapshot: Snapshot) -> list[int]:
    with open_snapshot(snapshot) as opened:
        return [record.listing_id or 0 for record in opened.records]


def _after_a_page(sandbox: SandboxServer, happens: Callable[[], None], *, times: int = 1) -> None:
    """Have something happen whenever a page has been answered."""

    def happen() -> None:
        nonlocal times
        happens()
        times -= 1
        if times:
            sandbox.state.after["/inventory"] = happen

    sandbox.state.after["/inventory"] = happen


def _lost_in_both_walks() -> list[Fault]:
    """Answer 404 for the second page of each walk: the second and the fifth request."""
    return [Fault(path=PAGES, status=404, body=GONE, after=after) for after in (1, 3)]


def test_walk_reads_each_page_once(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The first page has been read already; three pages cost three requests."""
    snapshot = _fetch(transport, tmp_path)
    assert _ids(snapshot) == [listing.listing_id for listing in make_shop(250)]
    assert len(sandbox.state.requests) == 3
    assert (snapshot.source, snapshot.expected_items) == (Source.PAGES, 250)
    assert (snapshot.incomplete_because, snapshot.currency) == (None, "EUR")
    assert [path.name for path in (tmp_path / "spool").iterdir()] == [snapshot.path.name]


def test_only_what_is_for_sale_is_asked_for_oldest_first(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """In this order an edited listing moves to the end and is met once more."""
    _fetch(transport, tmp_path)
    for request in sandbox.state.requests:
        assert "status=For+Sale&sort=listed&sort_order=asc&per_page=100" in request


def _edit_the_oldest(sandbox: SandboxServer) -> None:
    first, *others = sandbox.state.inventory
    sandbox.state.inventory = [*others, replace(first, comments="edited")]


def test_second_walk_makes_up_for_an_edit_in_the_first(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """An edited listing moves to the end, and one behind it slips past: the count tells."""
    _after_a_page(sandbox, lambda: _edit_the_oldest(sandbox))
    snapshot = _fetch(transport, tmp_path)
    assert snapshot.incomplete_because is None
    assert sorted(_ids(snapshot)) == [listing.listing_id for listing in make_shop(250)]
    assert len(sandbox.state.requests) == 6


def test_listing_met_twice_is_kept_once_and_newest(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """Edits and additions after every page: the last record of a listing counts."""
    numbers = count(1000)

    def edit_and_add() -> None:
        _edit_the_oldest(sandbox)
        sandbox.state.inventory.append(make_listing(next(numbers)))

    _after_a_page(sandbox, edit_and_add, times=99)
    with open_snapshot(_fetch(transport, tmp_path)) as opened:
        records = [x for x in opened.records if isinstance(x, Listing)]
    ids = [record.listing_id for record in records]
    assert len(ids) == len(set(ids))
    oldest_in_second_walk = make_listing(3).listing_id
    assert {x.listing_id: x.comments for x in records}[oldest_in_second_walk] == "edited"


def test_inventory_that_moves_in_both_walks_is_incomplete(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """Something is sold after every page: the counts of first and last page differ."""

    def sell() -> None:
        sandbox.state.inventory = sandbox.state.inventory[1:]

    _after_a_page(sandbox, sell, times=99)
    snapshot = _fetch(transport, tmp_path)
    assert snapshot.incomplete_because is not None
    assert "moved while it was read" in snapshot.incomplete_because


def test_page_that_is_gone_once_is_read_in_the_second_walk(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """A 404 that passes costs a look at the count and another walk."""
    sandbox.state.faults = [Fault(path=PAGES, status=404, body=GONE, after=2, times=1)]
    assert _fetch(transport, tmp_path).incomplete_because is None
    assert len(sandbox.state.requests) == 7


def test_page_that_is_gone_with_its_listings_means_that_the_inventory_moved(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """So much is sold that the next page is there no more, in both walks."""
    sizes = iter((50, 50, 250, 50, 50, 50))

    def sell() -> None:
        sandbox.state.inventory = make_shop(next(sizes))

    sandbox.state.faults = _lost_in_both_walks()
    _after_a_page(sandbox, sell, times=6)
    snapshot = _fetch(transport, tmp_path)
    assert "moved while it was read" in (snapshot.incomplete_because or "")


def test_page_that_is_counted_but_never_there_is_discogs_fault(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The count stands still, so the shop did not move: nothing may be concluded."""
    sandbox.state.faults = _lost_in_both_walks()
    with pytest.raises(SourceUnavailable) as caught:
        _fetch(transport, tmp_path)
    assert caught.value.code == "page_missing"


def test_seller_that_was_there_a_moment_ago_is_not_unknown(
    sandbox: SandboxServer, transport: Transport
) -> None:
    """His spelling is right: Discogs has shown him in this run."""
    sandbox.state.faults = [Fault(path=PAGES, status=404, body=GONE, times=9)]
    with pytest.raises(SourceUnavailable):
        fetch_first_page(transport, SELLER, again=True)


def test_count_that_stays_wrong_is_bad_data(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """A listing that Discogs counts twice and shows once: the inventory stands still."""
    sandbox.state.inventory = [*make_shop(250), make_shop(1)[0]]
    with pytest.raises(BadData) as caught:
        _fetch(transport, tmp_path)
    assert caught.value.code == "miscounted_pages"
    assert len(sandbox.state.requests) == 6


def test_stranger_sees_no_private_columns(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """What the view does not show is hidden, so that nothing is blanked by it."""
    sandbox.state.identity = "somebody-else"
    snapshot = _fetch(transport, tmp_path, is_owner=False)
    assert {"location", "weight", "external_id"} <= snapshot.hidden
    with open_snapshot(snapshot) as opened:
        assert "location" not in opened.header.columns


def test_stranger_sees_a_hundred_pages_of_a_large_shop(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The rest is nobody's but the owner's: the snapshot is incomplete, after one walk."""
    sandbox.state.identity = "somebody-else"
    sandbox.state.inventory = make_shop(10_001)
    snapshot = _fetch(transport, tmp_path, is_owner=False)
    assert snapshot.incomplete_because is not None
    assert "10,000 of these 10,001" in snapshot.incomplete_because
    assert len(sandbox.state.requests) == 100


def test_unknown_seller_is_not_ready(transport: Transport) -> None:
    """The spelling is to be checked."""
    with pytest.raises(NotReady) as caught:
        fetch_first_page(transport, "nobody/at all")
    assert caught.value.code == "unknown_seller"
