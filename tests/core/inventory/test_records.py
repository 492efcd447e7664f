"""An inventory is cut at line ends outside quotes; one that was cut short is refused."""

import io

import pytest

from discosync.core.inventory import records
from discosync.core.inventory.records import (
    RawRecord,
    RecordStream,
    is_blank,
    raw_digest,
    split_records,
)
from discosync.errors import BadData

QUOTED = b'a,"one\ntwo"\nb,"say ""no"""\n\nc,"\n\n"\nd\n'
CUT = [
    RawRecord(1, b'a,"one\ntwo"'),
    RawRecord(3, b'b,"say ""no"""'),
    RawRecord(4, b""),
    RawRecord(5, b'c,"\n\n"'),
    RawRecord(8, b"d"),
]


def test_line_end_inside_quotes_ends_no_record() -> None:
    """The lines of the file are counted all the same."""
    assert list(split_records(io.BytesIO(QUOTED))) == CUT


@pytest.mark.parametrize("size", range(1, len(QUOTED) + 1))
def test_size_of_the_blocks_decides_nothing(size: int) -> None:
    """Wherever a block would end, a record stays whole."""
    stream = RecordStream(io.BytesIO(QUOTED))
    found: list[RawRecord] = []
    while block := stream.take(size):
        found += map(RawRecord, block.lines, block.bodies)
    assert found == CUT


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"a\nb", "inside a record, before its line end"), (b'a\n"b\n', "inside a quoted field")],
)
def test_file_without_its_last_line_end_was_cut_short(body: bytes, where: str) -> None:
    """The refusal names the line in which the last record begins."""
    with pytest.raises(BadData, match=f"{where}, in line 2") as told:
        list(split_records(io.BytesIO(body)))
    assert told.value.code == "truncated"


def test_record_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that never closes would otherwise take the whole file into memory."""
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1 << 20)
    with pytest.raises(BadData) as told:
        list(split_records(io.BytesIO(b'"' + b"x\n" * (1 << 20))))
    assert told.value.code == "malformed_record"


def test_known_part_is_passed_over_only_with_its_digest() -> None:
    """After another digest nothing was taken; after the right one the lines go on."""
    known = QUOTED[: QUOTED.index(b"b,")]
    stream = RecordStream(io.BytesIO(QUOTED))
    assert not stream.pass_over(len(known), raw_digest(b"other"))
    assert stream.pass_over(len(known), raw_digest(known))
    block = stream.take()
    assert block is not None
    assert list(map(RawRecord, block.lines, block.bodies)) == CUT[1:]


def test_records_that_are_given_back_are_taken_again() -> None:
    """Their line numbers are those of the first time."""
    stream = RecordStream(io.BytesIO(QUOTED))
    block = stream.take()
    assert block is not None
    kept = stream.give_back(block, 1)
    assert list(map(RawRecord, kept.lines, kept.bodies)) == CUT[:1]
    again = stream.take()
    assert again is not None
    assert list(map(RawRecord, again.lines, again.bodies)) == CUT[1:]


@pytest.mark.parametrize(
    "body",
    [b"", b"\r", b" \t\r", b",,,\r", b",", b'"","",""\r', b'" ", ,"\t"', b'"\n",,', b"\x0b,\x0c"],
)
def test_line_of_nothing_but_separators_is_blank(body: bytes) -> None:
    """A spreadsheet keeps emptied rows so, quoted or not, with spaces or without."""
    assert is_blank(body)


@pytest.mark.parametrize("body", [b"0,,", b'"""",,', b"'", b",.,", b",\r,", b"\xc2\xa0,x"])
def test_line_that_holds_anything_is_no_blank_one(body: bytes) -> None:
    """Whatever is in it may be a listing's."""
    assert not is_blank(body)
