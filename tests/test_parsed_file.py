"""What is put aside comes back as it was, in memory-sized pieces; a full disk is told in time."""

import errno
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.listing import CONTENT_FIELDS, EXTRA_FIELDS, Listing
from discosync.core.parsed import ParsedBlock, ParsedRecord
from discosync.errors import StorageFailed
from discosync.parsed_file import ParsedFile

moments = st.timedeltas(timedelta(0), timedelta(days=40_000)).map(
    lambda since: datetime(1990, 1, 1, tzinfo=UTC) + since
)
decimals = st.decimals(min_value=0, max_value=10**9, places=2)
listings = st.builds(
    Listing,
    listing_id=st.integers(1, 2**63 - 1),
    price_value=decimals,
    weight=st.none() | st.decimals(min_value=0, max_value=10**6, places=3),
    posted=st.none() | moments,
    comments=st.none() | st.text(),
    accept_offer=st.none() | st.booleans(),
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


def test_every_kind_of_value_is_known() -> None:
    """Each type that a listing's field may have is one that comes back."""
    simple = {"str", "int", "bool", "None", "Decimal", "datetime"}
    kinds = {part.strip() for a in Listing.__annotations__.values() for part in str(a).split("|")}
    names = {kind.removeprefix("<class '").removesuffix("'>").split(".")[-1] for kind in kinds}
    assert names <= simple
    shown = Listing(
        listing_id=1, status="", price_value=Decimal(1), price_currency=None, release_id=1
    )
    assert set(CONTENT_FIELDS) | set(EXTRA_FIELDS) | {"listing_id"} == set(shown.__slots__)


def test_writing_begins_anew(tmp_path: Path) -> None:
    """A plan that is made a second time leaves nothing of the first one."""
    parsed = ParsedFile(tmp_path / "parsed")
    one, two = (_listing(number) for number in (1, 2))
    for listing in (one, two):
        with parsed.writing() as put:
            put(_block(listing))
    assert [block.ids for block in parsed.read()] == [[2]]


def test_nothing_was_put_aside(tmp_path: Path) -> None:
    """Where no plan was made by reading, there is nothing to write."""
    assert list(ParsedFile(tmp_path / "parsed").read()) == []


def test_full_disk_is_told_before_anything_is_written() -> None:
    """A disk that takes no more ends the plan with what to do, not with a traceback."""
    parsed = ParsedFile(Path("/dev/full"))
    with parsed.writing() as put, pytest.raises(StorageFailed, match="/dev/full") as told:
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
