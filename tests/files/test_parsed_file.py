"""What is put aside comes back as it was, in memory-sized pieces; a full disk is told in time."""

import errno
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.listing import Listing
from discosync.core.inventory.parsed import ParsedBlock, ParsedRecord
from discosync.errors import StorageFailed
from discosync.files.parsed_file import ParsedFile

moments = st.timedeltas(timedelta(0), timedelta(days=40_000)).map(
    lambda since: datetime(1990, 1, 1, tzinfo=UTC) + since
)
money = st.decimals(min_value=0, max_value=10**9, places=2)
values = {Decimal: money, datetime: moments, str: st.text(), int: st.integers(1, 2**63 - 1)}
listings = st.builds(
    Listing,
    **{
        name: st.one_of([values.get(kind, st.from_type(kind)) for kind in get_args(hint) or [hint]])
        for name, hint in get_type_hints(Listing).items()
    },
)


def _block(*shown: Listing) -> ParsedBlock:
    return ParsedBlock.of((at, ParsedRecord.of(listing)) for at, listing in enumerate(shown))


@given(st.lists(st.lists(listings, min_size=1, max_size=4), max_size=3))
def test_what_is_put_aside_comes_back(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[Listing]]
) -> None:
    """Block by block, all values of all records are the same, to the type and the last digit."""
    parsed = ParsedFile(tmp_path_factory.mktemp("aside") / "parsed")
    with parsed.writing() as put:
        for block in blocks:
            put(_block(*block))
    back = [[record.listing for record in block.records] for block in parsed.read()]
    assert back == blocks
    assert repr(back) == repr(blocks)
    assert len(parsed) == sum(map(len, blocks))
    digests = [digest for block in parsed.read() for digest in block.digests]
    assert digests == [ParsedRecord.of(listing).digest for block in blocks for listing in block]


def test_writing_begins_anew(tmp_path: Path) -> None:
    """A plan that is made a second time leaves nothing of the first one."""
    parsed = ParsedFile(tmp_path / "parsed")
    one, two = (_listing(number) for number in (1, 2))
    for listing in (one, two):
        with parsed.writing() as put:
            put(_block(listing))
    assert [block.ids for block in parsed.read()] == [[2]]


@pytest.mark.parametrize("kept", [0, 3, 40, -1])
def test_what_is_missing_is_told(tmp_path: Path, kept: int) -> None:
    """A file that lost its end, within a block or between two, is no smaller plan."""
    parsed = ParsedFile(tmp_path / "parsed")
    with parsed.writing() as put:
        put(_block(_listing(1)))
        first = parsed.path.stat().st_size
        put(_block(_listing(2)))
    whole = parsed.path.read_bytes()
    parsed.path.write_bytes(whole[:kept])
    with pytest.raises(StorageFailed, match="2 records are missing" if kept >= 0 else "1 records"):
        list(parsed.read())
    parsed.path.write_bytes(whole[:first])
    with pytest.raises(StorageFailed, match="1 records are missing"):
        list(parsed.read())
    parsed.path.unlink()
    with pytest.raises(StorageFailed, match="cannot read"):
        list(parsed.read())


def test_nothing_was_put_aside(tmp_path: Path) -> None:
    """Where no plan was made by reading, there is nothing to write."""
    assert list(ParsedFile(tmp_path / "parsed").read()) == []


def test_full_disk_is_told_before_anything_is_written() -> None:
    """A disk that takes no more ends the plan with what to do, not with a traceback."""
    parsed = ParsedFile(Path("/dev/full"))
    with pytest.raises(StorageFailed, match="/dev/full") as told, parsed.writing() as put:
        put(_block(_listing(1)))
    assert len(parsed) == 0
    assert isinstance(told.value.__cause__, OSError)
    assert told.value.__cause__.errno == errno.ENOSPC


def test_other_faults_are_not_the_disk_s(tmp_path: Path) -> None:
    """What fails while a snapshot is compared is not told as if this file could not be written."""
    with pytest.raises(TimeoutError), ParsedFile(tmp_path / "parsed").writing():
        raise TimeoutError


def _listing(listing_id: int) -> Listing:
    return Listing(
        listing_id=listing_id,
        status="For Sale",
        price_value=Decimal("12.50"),
        price_currency="EUR",
        release_id=7,
        posted=datetime(2026, 1, 5, 9, 30, tzinfo=UTC) + timedelta(minutes=listing_id),
    )
