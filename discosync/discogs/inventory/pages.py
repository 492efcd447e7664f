"""A seller's inventory, read page by page from `GET /users/{username}/inventory`.

A page holds up to 100 listings, and only the owner sees what is not For Sale (Discogs' API
documentation, inventory). To anybody else Discogs refuses the pages above 100 (observed, 2021).
"""

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from discosync.core.inventory.columns import SPOOL_COLUMNS
from discosync.core.inventory.pacific import render_export_name
from discosync.core.inventory.page import PRIVATE_COLUMNS, InventoryPage, parse_page
from discosync.core.inventory.records import split_records
from discosync.core.inventory.snapshot import Snapshot, Source, hidden_fields
from discosync.core.inventory.source_choice import MAX_PUBLIC_PAGES, PER_PAGE
from discosync.core.progress import Progress
from discosync.discogs.answers import Answer
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.spool import Spool, digest
from discosync.errors import BadData, NotReady, SourceUnavailable
from discosync.files.disk import disk_errors

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPage:
    """The first page of what is For Sale: the witness of an export, and the start of a walk.

    `served_at` is the moment that the page shows, by Discogs' clock.
    """

    page: InventoryPage
    served_at: datetime
    is_sandbox: bool


def fetch_first_page(transport: Transport, seller: str, *, again: bool = False) -> FirstPage:
    """Fetch the first page of what is For Sale; raise `NotReady` for an unknown seller.

    With `again` Discogs has shown it before in this run: then the seller is not unknown, and
    `SourceUnavailable` is raised.
    """
    page, answer = _fetch_page(transport, seller, 1, also=frozenset({404}))
    if page is None and again:
        raise _lost_page(1, 1)
    if page is None:
        raise NotReady(
            f"Discogs knows no seller {seller!r}",
            hint="check the spelling in DISCOGS_USERNAME or --seller",
            code="unknown_seller",
        )
    return FirstPage(page=page, served_at=answer.served_at, is_sandbox=answer.is_sandbox)


def _lost_page(number: int, pages: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"Discogs says that page {number:,} of {pages:,} is not there (404), although it counts it",
        hint="nothing was changed; run again, or `discosync sync --source export`",
        code="page_missing",
    )


def _fetch_page(
    transport: Transport, seller: str, number: int, *, also: frozenset[int] = frozenset()
) -> tuple[InventoryPage | None, Answer]:
    """Fetch one page, oldest listing first; return None for a status in `also`.

    An edit renews a listing's date (observed). In this order an edited listing moves to the end and
    is met twice; in the opposite order it could be missed.
    """
    params: dict[str, str | int] = {
        "status": "For Sale",
        "sort": "listed",
        "sort_order": "asc",
        "per_page": PER_PAGE,
        "page": number,
    }
    path = f"/users/{quote(seller, safe='')}/inventory"
    body, answer = transport.get_json(path, params, also=also)
    return (None if answer.status in also else parse_page(body)), answer


class _Walk:
    """What one walk through all pages has met: counts, and the newest record of each listing.

    A listing that is edited during the walk is met twice; its last record counts.
    """

    def __init__(self, first: InventoryPage, *, is_owner: bool) -> None:
        self.is_owner = is_owner
        self.items_first = first.items
        self.last_page = first
        self.vanished = False
        self.lost_page: int | None = None
        self.currency: str | None = None
        self.private_columns = frozenset(PRIVATE_COLUMNS)
        self.newest_by_id: dict[str, int] = {}
        self.records = 0
        self._kept = [
            i for i, c in enumerate(SPOOL_COLUMNS) if is_owner or c not in PRIVATE_COLUMNS
        ]

    @property
    def columns(self) -> list[str]:
        return self.pick(SPOOL_COLUMNS)

    def pick(self, record: tuple[str, ...]) -> list[str]:
        """Leave out the columns that Discogs shows to the owner only, unless the walk is his."""
        return [record[i] for i in self._kept]

    def take(self, page: InventoryPage) -> None:
        """Note a page's records and counts."""
        for listing_id in page.listing_ids:
            self.newest_by_id[listing_id] = self.records
            self.records += 1
        self.private_columns &= page.private_columns
        self.currency = self.currency or page.currency
        self.last_page = page

    @property
    def is_beyond_public_view(self) -> bool:
        return not self.is_owner and self.last_page.pages > MAX_PUBLIC_PAGES

    @property
    def has_moved(self) -> bool:
        return self.vanished or self.items_first != self.last_page.items

    @property
    def is_complete(self) -> bool:
        met_all = len(self.newest_by_id) == self.items_first
        return met_all and not self.has_moved and self.lost_page is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesRequest:
    """What a walk needs: whose inventory, its first page, and the directory to write into."""

    seller: str
    first: FirstPage
    spool: Spool
    is_owner: bool
    progress: Progress


def fetch_pages(transport: Transport, request: PagesRequest) -> Snapshot:
    """Walk through all pages of what is For Sale.

    1. Walk, and write each page to the disk as it comes.
    2. If the listings met are not as many as Discogs counts, walk once more.
    3. Keep the newest record of each listing.

    Raises `BadData` when the numbers differ although the inventory did not change. Returns an
    incomplete snapshot when the inventory changed during both walks, and when it is another
    seller's and has more listings than Discogs shows.
    """
    draft = request.spool.path("pages.part")
    first = request.first
    walk = _walk(transport, request, first, draft)
    if not walk.is_complete and not walk.is_beyond_public_view:
        _log.info("the pages do not add up: walking once more")
        first = fetch_first_page(transport, request.seller, again=True)
        walk = _walk(transport, request, first, draft)
    incomplete_because = _judge(walk)
    path = request.spool.path(render_export_name(request.seller, first.served_at))
    with disk_errors(path):
        _keep_newest(draft, path, walk)
    sha256, size_bytes = digest(path)
    return Snapshot(
        path=path,
        source=Source.PAGES,
        seller=request.seller,
        sha256=sha256,
        size_bytes=size_bytes,
        as_of=first.served_at,
        expected_items=walk.last_page.items,
        currency=walk.currency,
        hidden=hidden_fields(walk.private_columns if walk.is_owner else frozenset()),
        incomplete_because=incomplete_because,
    )


def _judge(walk: _Walk) -> str | None:
    """Return why a walk is incomplete, or None.

    Raises `BadData` for a wrong count, `SourceUnavailable` for a page that is counted but
    not there.
    """
    ids, items = len(walk.newest_by_id), walk.last_page.items
    # First: a second walk cannot help here, and no count is wrong.
    if walk.is_beyond_public_view:
        return (
            f"Discogs shows {MAX_PUBLIC_PAGES * PER_PAGE:,} of these {items:,} listings to "
            "anybody but their owner"
        )
    if walk.is_complete:
        return None
    if walk.lost_page is not None:
        raise _lost_page(walk.lost_page, walk.last_page.pages)
    # The shop sold or added something meanwhile: nobody's fault, and the next run may be luckier.
    if walk.has_moved:
        return (
            f"the inventory moved while it was read: {walk.items_first:,} listings counted on "
            f"the first page, {items:,} on the last, {ids:,} met"
        )
    raise BadData(
        f"the pages hold {ids:,} different listings, Discogs counts {items:,} on the first page "
        "and on the last",
        hint="nothing was changed; run again, or `discosync sync --source export`",
        code="miscounted_pages",
    )


def _walk(transport: Transport, request: PagesRequest, first: FirstPage, draft: Path) -> _Walk:
    walk = _Walk(first.page, is_owner=request.is_owner)
    request.progress.begin("reading pages", first.page.items)
    with (
        disk_errors(draft),
        # Half a character (a lone surrogate) is written as it came: the parser rejects its record.
        draft.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(walk.columns)
        for page in _read_pages(transport, request, walk):
            writer.writerows(walk.pick(record) for record in page.records)
            walk.take(page)
            request.progress.advance(len(page.records))
    request.progress.end()
    return walk


def _read_pages(
    transport: Transport, request: PagesRequest, walk: _Walk
) -> Iterator[InventoryPage]:
    """Yield page after page, as many as the newest one says that there are."""
    yield walk.last_page
    number = 1
    while number < walk.last_page.pages and (request.is_owner or number < MAX_PUBLIC_PAGES):
        number += 1
        page, _ = _fetch_page(transport, request.seller, number, also=frozenset({404}))
        if page is None:
            _explain_missing(transport, request.seller, walk, number)
            return
        yield page


def _explain_missing(transport: Transport, seller: str, walk: _Walk, number: int) -> None:
    """Find out why a page is not there: so much was sold meanwhile, or Discogs is at fault."""
    now = fetch_first_page(transport, seller, again=True).page
    if now.pages < number:
        walk.vanished = True
    else:
        walk.lost_page = number


def _keep_newest(draft: Path, path: Path, walk: _Walk) -> None:
    """Make the snapshot out of the draft: the newest record of each listing."""
    if walk.records == len(walk.newest_by_id):
        draft.replace(path)
        return
    newest = {-1, *walk.newest_by_id.values()}  # -1 is the header
    with draft.open("rb") as old, path.open("wb") as new:
        for number, record in enumerate(split_records(old), start=-1):
            if number in newest:
                new.write(record.body + b"\n")
    draft.unlink()
