"""Reading records side by side says the same as reading one after the other."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.columns import parse_listed
from discosync.core.inventory.header import Header, RejectedRecord
from discosync.core.inventory.parsed import ParsedBlock, ParsedRecord
from discosync.core.inventory.record_parser import MAX_FIELD_BYTES, RecordParser
from discosync.core.inventory.records import RawRecord, RecordBlock, RecordStream, is_blank
from discosync.errors import BadData

HEADERS = (
    ("listing_id", "release_id", "status", "price", "listed", "comments", "weight", "accept_offer"),
    ("comments", "price", "status", "release_id", "listing_id", "currency", "posted", "listed"),
    ("status", "price", "listing_id", "release_id", "release_year", "unknown", "format", "uri"),
)
GOOD = {
    "listing_id": ["1", "22", "4400000000"],
    "release_id": ["7", "7", "123456"],
    "status": ["For Sale", "for sale", " Sold", "Draft"],
    "price": ["12.5", "12.50", "9", " 3"],
    "listed": ["2026-03-02 09:30:00", "2026-11-01 01:30:00", "2026-03-08 02:30:00", ""],
    "posted": ["", "2026-03-02T09:30:00-08:00"],
    "comments": ["", "fine", " fine ", "a &amp; b", "Motörhead", "cafe\u0301", "x\ry", "💿"],
    "weight": ["", "230", "230.0"],
    "accept_offer": ["Y", "n", ""],
    "currency": ["", "usd", "EUR"],
    "release_year": ["", "0", "1984"],
    "format": ["LP", "(LP)", "LP, Album"],
    "uri": ["", "https://example.org/1"],
    "unknown": ["", "what"],
}
ODD = {
    "listing_id": ["", "0", "05", " 5", "+5", "1_0", "٣", "9" * 19, "none"],
    "release_id": ["", "-7", "7.0", "0"],
    "status": ["", "x" * 60],
    "price": ["", "free", "-1", "1e3", "0.123"],
    "listed": ["yesterday", "2026-13-02 09:30:00", "2026-03-02 09+05:00", "20260302T093000.000"],
    "comments": ["\0", "x" * (MAX_FIELD_BYTES + 1), '""', "\udcff"],
    "weight": ["heavy", "-3"],
    "accept_offer": ["perhaps"],
    "currency": ["euro"],
    "release_year": ["MCM"],
}  # fmt: skip


def quoted(text: str) -> str:
    """Write a field as the export does."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


@st.composite
def files(draw: st.DrawFn) -> tuple[Header, RecordBlock]:
    """A header and some records, of which a few may be odd in one field."""
    columns = draw(st.sampled_from(HEADERS))
    bodies = []
    for _ in range(draw(st.integers(0, 60))):
        fields = {name: draw(st.sampled_from(GOOD[name])) for name in columns}
        if draw(st.integers(0, 12)) == 0:
            name = draw(st.sampled_from([name for name in columns if name in ODD]))
            fields[name] = draw(st.sampled_from(ODD[name]))
        text = ",".join(map(quoted, fields.values())) + draw(st.sampled_from(["", "\r"]))
        bodies.append(text.encode(errors="surrogateescape"))
        if draw(st.integers(0, 20)) == 0:
            bodies.append(draw(st.sampled_from([b"", b"\r", b"  "])))
    return Header(columns=columns), RecordBlock(lines=range(2, 2 + len(bodies)), bodies=bodies)


def _one_by_one(
    header: Header, block: RecordBlock, currency: str | None
) -> list[ParsedRecord | RejectedRecord]:
    read = RecordParser(header, currency=currency).read
    raw = map(RawRecord, block.lines, block.bodies)
    return [read(record) for record in raw if not is_blank(record.body)]


def _rejected(blocks: Sequence[ParsedBlock]) -> list[RejectedRecord]:
    return [record for block in blocks for record in block.rejected]


@settings(max_examples=400)
@given(files(), st.sampled_from([None, "EUR"]))
def test_blocks_say_what_records_say(
    file: tuple[Header, RecordBlock], currency: str | None
) -> None:
    """Values, digests, indexes and reasons are those of the records read alone."""
    header, block = file
    expected = _one_by_one(header, block, currency)
    parsed = list(BlockParser(header, currency=currency).read(block))
    good = [record for record in expected if isinstance(record, ParsedRecord)]
    records = [record for one in parsed for record in one.records]
    assert [(r.listing_id, list(r.values), r.digest) for r in records] == [
        (r.listing_id, list(r.values), r.digest) for r in good
    ]
    assert _rejected(parsed) == [r for r in expected if isinstance(r, RejectedRecord)]
    indexes = [index for one in parsed for index in one.indexes]
    again = block.pick([index in indexes for index in range(len(block.bodies))])
    assert _one_by_one(header, again, currency) == good


@pytest.mark.parametrize(
    "broken",
    [
        b"1,7,For Sale,1,,two, fields too many,,,",
        b'1,7,For Sale,1,,"quote"s,,',
        b'1,7,For Sale,1,,a"b,"c,',
        b"1,7",
    ],
)
def test_broken_structure_is_an_error(broken: bytes) -> None:
    """A record with another number of fields, or a quote astray, condemns the file, by its line."""
    good = [b"%d,7,For Sale,1,2026-03-02 09:30:00,fine,,Y" % n for n in range(1, 100)]
    block = RecordBlock(lines=range(2, 102), bodies=[*good, broken])
    with pytest.raises(BadData, match="line 101"):
        list(BlockParser(Header(columns=HEADERS[0]), currency=None).read(block))


def test_record_that_would_swallow_the_next_is_an_error() -> None:
    """A quote opened in one record and closed in the next: never one record made of both."""
    header = Header(columns=("comments", "listing_id", "release_id", "status", "price"))
    bodies = [b"fine,5,7,Sold,2", b'a"b,"1', b'2",7,Sold,2']
    block = RecordBlock(lines=(2, 3, 4), bodies=bodies)
    with pytest.raises(BadData, match="line 3"):
        list(BlockParser(header, currency=None).read(block))


@given(
    st.datetimes(timezones=st.none()).map(lambda moment: moment.replace(microsecond=0)),
    st.datetimes(timezones=st.none()).map(lambda moment: moment.replace(microsecond=0)),
)
def test_times_are_those_of_discogs_clock(first: object, second: object) -> None:
    """Hours and minutes read apart make the moment that the whole text says."""
    bodies = [f"1,7,For Sale,1,{m},fine,,Y".encode() for m in (first, second)]
    block = RecordBlock(lines=(2, 3), bodies=bodies)
    try:
        expected = [parse_listed(str(first)), parse_listed(str(second))]
    except ValueError:
        return
    (parsed,) = BlockParser(Header(columns=HEADERS[0]), currency=None).read(block)
    assert [record.listing.posted for record in parsed.records] == expected


@example('a,"b\nc",d\r\n' * 3)
@given(st.text(st.sampled_from('ab,"\r\n '), max_size=60))
def test_no_text_is_read_in_two_ways(text: str) -> None:
    """Quotes and line ends wherever they may be: both ways say the same, or that it is broken."""
    header = Header(columns=("comments", "listing_id", "release_id", "status", "price"))
    try:
        stream = RecordStream(io.BytesIO(text.encode() + b'",1,7,Sold,2\n'))
        blocks = [block for block in iter(stream.take, None) if block]
    except BadData:
        return
    try:
        expected = [r for block in blocks for r in _one_by_one(header, block, None)]
    except BadData:
        expected = []
    try:
        read = BlockParser(header, currency=None).read
        found = [record for raw in blocks for one in read(raw) for record in one.records]
    except BadData:
        found = []
        assert not expected
    assert [(r.listing_id, list(r.values)) for r in found] == [
        (r.listing_id, list(r.values)) for r in expected if isinstance(r, ParsedRecord)
    ]
