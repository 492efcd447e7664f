"""Cutting and parsing the CSV; every way of cutting it short is seen."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.header import (
    RejectedRecord,
    parse_header,
)
from discosync.core.inventory.listing import Listing, content_hash
from discosync.core.inventory.record_parser import RecordParser
from discosync.core.inventory.records import MAX_RECORD_BYTES, RawRecord, split_records
from discosync.errors import BadData
from discosync.sandbox.answers import render_csv
from discosync.sandbox.inventory import make_inventory
from tests.support.shop import make_listing


def _parse(body: bytes) -> list[Listing | RejectedRecord]:
    records = split_records(io.BytesIO(body))
    parser = RecordParser(parse_header(next(records, None)), currency="EUR")
    return [parser.parse(record) for record in records]


def test_every_cut_is_seen_but_those_at_a_record_end() -> None:
    """Cut at each byte: an error, or at a record's end fewer whole records, never a wrong one."""
    shop = make_inventory(25)
    body = render_csv(shop)
    whole = [content_hash(listing) for listing in shop]
    ends = 0
    for end in range(len(body)):
        try:
            parsed = _parse(body[:end])
        except BadData:
            continue
        ends += 1
        hashes = [content_hash(x) for x in parsed if isinstance(x, Listing)]
        assert hashes == whole[: len(parsed)]
        assert body[:end].endswith(b"\n")
    assert ends == 25


def test_inventory_survives_the_round_trip() -> None:
    """What the sandbox writes is what the parser reads, quotes, line feeds and all."""
    shop = make_inventory(300)
    parsed = [x for x in _parse(render_csv(shop)) if isinstance(x, Listing)]
    assert [content_hash(x) for x in parsed] == [content_hash(x) for x in shop]
    assert parsed[0].posted == shop[0].posted


printable = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=60
)


@given(comments=printable, location=printable)
def test_any_text_comes_through(comments: str, location: str) -> None:
    """Whatever a seller types arrives letter by letter."""
    parsed = _parse(render_csv([make_listing(comments=comments, location=location)]))
    assert isinstance(parsed[0], Listing)
    assert (parsed[0].comments, parsed[0].location) == (comments, location)


def test_lines_are_counted_through_quoted_line_ends() -> None:
    """The line a person is told is the line an editor shows."""
    bad = render_csv([make_listing(0, comments="a\nb\nc"), make_listing(1)])
    bad = bad.replace(b",500001,", b",none,")
    assert [x.line for x in _parse(bad) if isinstance(x, RejectedRecord)] == [5]


def test_quote_that_never_closes_is_bounded() -> None:
    """A runaway quote is an error after 16 MiB, not the whole file in memory."""
    body = render_csv([]) + b'1,"' + b"x\n" * (MAX_RECORD_BYTES // 2 + 600_000)
    with pytest.raises(BadData, match="never closes"):
        _parse(body)


@pytest.mark.parametrize("text", ["", "0", "-5", "4.5", "٣", "1e9", str(2**63)])
def test_no_id_but_a_positive_number(text: str) -> None:
    """A listing id is a positive whole number that fits 64 bits."""
    body = render_csv([make_listing()]).replace(b"4400000001,", text.encode() + b",")
    parsed = _parse(body)
    assert isinstance(parsed[0], RejectedRecord)
    assert parsed[0].listing_id is None


def test_sheet_formula_is_stored_as_it_is() -> None:
    """Text that a spreadsheet would run is text."""
    parsed = _parse(render_csv([make_listing(comments="=cmd|' /C calc'!A0")]))
    assert isinstance(parsed[0], Listing)
    assert parsed[0].comments == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("listing_id;release_id;status;price", "a semicolon"),
        ('"listing_id"\t"release_id"\t"status"\t"price"', "a tab"),
        ("listing_id|release_id|status|price", "a bar"),
        ("sep=,", "sep="),
        ('"sep=;"', "sep="),
        ("\0".join("listing_id,release_id,status,price"), "UTF-16"),
    ],
)
def test_form_of_a_spreadsheet_is_named(header: str, words: str) -> None:
    """It is an inventory, and the way out is another than for what is none."""
    with pytest.raises(BadData, match="a spreadsheet has saved this file") as caught:
        parse_header(RawRecord(1, header.encode()))
    assert words in caught.value.message
    assert caught.value.code == "other_form"


def test_columns_without_a_name_may_be_empty() -> None:
    """They are no unknown columns, and there may be several."""
    body = render_csv([make_listing(0)]).replace(b"\r\n", b",, \r\n")
    (record,) = _parse(body)
    assert isinstance(record, Listing)
    header = parse_header(RawRecord(1, body.splitlines()[0]))
    assert (header.unknown, len(header.nameless)) == ((), 2)


def test_column_without_a_name_that_holds_something_is_named() -> None:
    """Nobody knows what it is: the message says where it stands."""
    first, second = render_csv([make_listing(0)]).splitlines()
    with pytest.raises(BadData, match="column 20 has no name in the header, but line 2 holds '7'"):
        _parse(first + b",\r\n" + second + b",7\r\n")
