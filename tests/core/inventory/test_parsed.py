"""Records column by column hold the same as records one by one."""

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.parsed import VALUE_FIELDS, ParsedBlock, ParsedRecord
from tests.support.shop import make_listing, make_shop

RECORDS = [ParsedRecord.of(listing) for listing in make_shop(3)]
BAD = RejectedRecord(line=2, reason="no price")


def test_listing_comes_back_from_its_parsed_record() -> None:
    """No field is lost on the way, and none takes another's slot."""
    listing = make_listing(quantity=7, location="A", comments="B", external_id="C")
    record = ParsedRecord.of(listing)
    assert record.listing == listing
    assert (record.value("location"), record.value("comments")) == ("A", "B")


def test_block_gives_back_its_records_in_order() -> None:
    """An empty block has all columns, each empty."""
    block = ParsedBlock.of(enumerate(RECORDS))
    assert [record.listing for record in block.records] == make_shop(3)
    empty = ParsedBlock.of([])
    assert (len(empty), len(empty.columns)) == (0, len(VALUE_FIELDS))
    assert list(empty.records) == []


def test_part_of_a_block_keeps_its_indexes_and_all_that_was_rejected() -> None:
    """An index leads back to the raw record, so that it must not be counted anew."""
    block = ParsedBlock.of([(1, RECORDS[0]), (4, RECORDS[1]), (5, RECORDS[2])], [BAD])
    part = block.pick([False, True, True])
    assert part.indexes == [4, 5]
    assert [record.listing for record in part.records] == make_shop(3)[1:]
    assert part.rejected == [BAD]


def test_record_fills_in_only_with_a_year_or_an_image() -> None:
    """Only some sources show them; a comment is content, which is compared instead."""
    bare = make_listing(release_year=None, image_uri=None, comments="new")
    assert ParsedRecord.of(make_listing(release_year=None)).fills_in
    assert ParsedRecord.of(make_listing(image_uri=None)).fills_in
    assert not ParsedRecord.of(bare).fills_in


def test_only_the_word_for_sale_is_for_sale() -> None:
    """A draft or a violation cannot be bought."""
    for status in ("Draft", "Sold", "Expired", "Violation"):
        assert not ParsedRecord.of(make_listing(status=status)).is_for_sale
    assert RECORDS[0].is_for_sale
