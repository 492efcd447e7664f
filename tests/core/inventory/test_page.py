"""Pages become the same records as the export's."""

import csv
import html
import io
import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.columns import SPOOL_COLUMNS
from discosync.core.inventory.header import parse_header
from discosync.core.inventory.listing import Listing, content_hash
from discosync.core.inventory.page import parse_page
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.inventory.record_parser import RecordParser
from discosync.core.inventory.records import RawRecord, RecordBlock
from discosync.errors import BadData
from discosync.sandbox.answers import render_page
from discosync.sandbox.inventory import make_inventory
from tests.support.shop import make_listing


def _read(listing: Listing, *, is_owner: bool = True, **changed: object) -> Listing:
    page = render_page([listing], seller="shop", page=1, per_page=100, is_owner=is_owner)
    page = json.loads(json.dumps(page), parse_float=Decimal)
    page["listings"][0] |= changed
    parsed = parse_page(page)
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


FREE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NAMES = st.lists(st.sampled_from(["Epic", "Control", "LT 7", "none"]), max_size=3).map(", ".join)
WORDS = st.sampled_from(["", "Not Graded", "Generic", "Near Mint (NM or M-)"])
COUNTS = st.sampled_from([0, 1, 2, 41, 2**31 - 1])
CENTS = st.integers(0, 10**7)


@st.composite
def _both_forms(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, object]]:
    """Give one listing twice: as a record of an export, and as what a page says of it."""

    def nothing_or(value: object, *forms: object) -> object:
        return draw(st.sampled_from(forms)) if value in {"", 0} else value

    def text(values: st.SearchStrategy[str]) -> tuple[str, object]:
        value = draw(values)
        forms = [value, html.escape(value), value.replace("\n", "\r\n"), f" {value}\t"]
        return value, nothing_or(draw(st.sampled_from(forms)), "", None)

    cents, weight, quantity, sides = (draw(x) for x in (CENTS, COUNTS, COUNTS, COUNTS))
    texts = {
        **{name: text(FREE) for name in ("comments", "title", "artist", "location", "external_id")},
        **{name: text(NAMES) for name in ("label", "catno")},
        **{name: text(WORDS) for name in ("sleeve_condition", "format")},
    }
    export: dict[str, object] = {
        **{name: value for name, (value, _) in texts.items()},
        "listing_id": 7,
        "release_id": 8,
        "status": "For Sale",
        "price": cents / 100,
        "accept_offer": draw(st.sampled_from(["N", ""])),
        "media_condition": "Mint (M)",
        "weight": nothing_or(weight, "", "0", "0.0"),
        "format_quantity": nothing_or(sides, "", "0"),
        "quantity": draw(st.sampled_from(["", "0", "1"])) if quantity < 2 else quantity,
    }
    said = {name: value for name, (_, value) in texts.items()}
    page = {
        "id": 7,
        "status": "For Sale",
        "condition": "Mint (M)",
        "allow_offers": draw(st.sampled_from([False, None])),
        "original_price": {"value": cents / 100, "curr_abbr": "EUR"},
        "weight": nothing_or(float(weight), None, 0, 0.0, -0.0),
        "format_quantity": nothing_or(sides, None, 0, 0.0),
        "quantity": draw(st.sampled_from([None, 0, 1, 1.0])) if quantity < 2 else quantity,
        "release": {"id": 8, "catalog_number": said.pop("catno")}
        | {name: said.pop(name) for name in ("title", "artist", "label", "format")},
        **said,
    }
    return {name: str(value) for name, value in export.items()}, page


def _digests(columns: Sequence[str], row: Sequence[str]) -> set[bytes]:
    """Digest a record both ways: alone, and in a block."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(row)
    body = text.getvalue().removesuffix("\n").encode()
    header = parse_header(RawRecord(line=1, body=",".join(columns).encode()))
    one = RecordParser(header, currency="EUR").read(RawRecord(line=2, body=body))
    assert isinstance(one, ParsedRecord)
    block = RecordBlock(lines=[2], bodies=[body])
    [many] = BlockParser(header, currency="EUR").read(block)
    return {one.digest, *many.digests}


@given(_both_forms())
def test_same_listing_has_one_digest_whatever_way_it_comes(
    forms: tuple[dict[str, str], dict[str, object]],
) -> None:
    """Forms differ, and each source says nothing in its own ways: none of that is a change."""
    export, said = forms
    page = {"pagination": {"pages": 1, "items": 1}, "listings": [said]}
    [record] = parse_page(json.loads(json.dumps(page), parse_float=Decimal)).records
    digests = _digests(tuple(export), tuple(export.values())) | _digests(SPOOL_COLUMNS, record)
    assert len(digests) == 1


@pytest.mark.parametrize("written", ["1e2", "100", "100.0", "1E+2"])
def test_numbers_are_read_in_every_form_of_json(written: str) -> None:
    """An exponent is a number, too."""
    value = json.loads(f"[{written}]", parse_float=Decimal)[0]
    read = _read(make_listing(), weight=value, original_price={"value": value, "curr_abbr": "EUR"})
    assert [read.weight, read.price_value] == [Decimal(100), Decimal(100)]


def test_price_without_the_sellers_own_amount_is_taken_with_its_currency() -> None:
    """Half of one price and half of another is no price."""
    read = _read(
        make_listing(),
        original_price={"value": None, "curr_abbr": "EUR"},
        price={"value": 2.56, "currency": "USD"},
    )
    assert (read.price_value, read.price_currency) == (Decimal("2.56"), "USD")


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
