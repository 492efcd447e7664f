"""Pages become the same records as the export's."""

import csv
import io
import json
from decimal import Decimal

import pytest

from discosync.core.inventory.columns import SPOOL_COLUMNS
from discosync.core.inventory.header import parse_header
from discosync.core.inventory.listing import Listing, content_hash
from discosync.core.inventory.page import parse_page
from discosync.core.inventory.record_parser import RecordParser
from discosync.core.inventory.records import RawRecord
from discosync.errors import BadData
from discosync.sandbox.answers import render_page
from discosync.sandbox.inventory import make_inventory
from tests.support.shop import make_listing


def _read(listing: Listing, *, is_owner: bool = True, **changed: object) -> Listing:
    page = render_page([listing], seller="shop", page=1, per_page=100, is_owner=is_owner)
    page["listings"][0] |= changed
    parsed = parse_page(json.loads(json.dumps(page), parse_float=Decimal))
    text = io.StringIO(newline="")
    csv.writer(text).writerow(parsed.records[0])
    header = parse_header(RawRecord(line=1, body=",".join(SPOOL_COLUMNS).encode()))
    record = RecordParser(header, currency=None).parse(
        RawRecord(line=2, body=text.getvalue().removesuffix("\n").encode())
    )
    assert isinstance(record, Listing)
    return record


def test_pages_and_export_agree_on_the_hash() -> None:
    """The same listing read from a page has the content hash it has in the export."""
    for listing in make_inventory(200):
        assert content_hash(_read(listing)) == content_hash(listing)


def test_sellers_own_price_goes_before_a_converted_one() -> None:
    """`price` may be in the viewer's currency; `original_price` is the seller's."""
    converted = {"value": 2.5616438356164384, "currency": "USD"}
    read = _read(make_listing(), price=converted)
    assert (read.price_value, read.price_currency) == (Decimal("12.50"), "EUR")


def test_unknown_year_is_no_year() -> None:
    """Discogs writes 0 for a year nobody knows."""
    assert _read(make_listing(release_year=None)).release_year is None


def test_stranger_sees_no_private_column() -> None:
    """A page without private fields says that it does not show them."""
    page = render_page([make_listing()], seller="shop", page=1, per_page=100, is_owner=False)
    assert parse_page(page).private_columns == frozenset()


@pytest.mark.parametrize("page", [{}, {"pagination": {}}, {"pagination": None, "listings": []}])
def test_what_is_no_page_is_an_error(page: dict[str, object]) -> None:
    """Nothing but a page is an empty page."""
    with pytest.raises(BadData):
        parse_page(page)
