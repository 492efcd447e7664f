"""What is remembered of a plan, once it is applied."""

from dataclasses import replace

from discosync.core.inventory.listing import CONTENT_FIELDS, EXTRA_FIELDS
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.known import IS_ACTIVE, KnownListings
from discosync.core.planning.plan import Planner
from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.memory import Memory
from tests.support.shop import NOON, make_listing, make_shop

EVERYTHING = frozenset(CONTENT_FIELDS + EXTRA_FIELDS)


def _remember(known: KnownRecords, digests: dict[int, bytes]) -> tuple[Memory, KnownRecords, bool]:
    """Plan new listings by their numbers; return the memory, what it knows, and if it is whole."""
    memory = Memory(known)
    planner = Planner(known, sees=EVERYTHING, as_of=NOON, may_remove=False, observer=memory)
    for number, digest in digests.items():
        planner.see(ParsedRecord.of(make_listing(number)), digest)
    changes = planner.finish()
    return memory, memory.known_after(changes), memory.settles_all_of(changes)


def test_a_new_listing_is_remembered_by_the_bytes_of_its_record() -> None:
    """The next run recognises it, and knows that it is for sale."""
    _, after, is_whole = _remember(KnownRecords(), {1: b"a" * 16, 0: b"b" * 16})
    assert list(after.ids) == [x.listing_id for x in make_shop(2)]
    assert after.raw_digests == b"b" * 16 + b"a" * 16
    assert list(after.flags) == [IS_ACTIVE, IS_ACTIVE]
    assert is_whole


def test_a_listing_that_the_snapshot_lacks_is_not_remembered() -> None:
    """Its bytes, should they come back, are a return and no unchanged record."""
    _, before, _ = _remember(KnownRecords(), {0: b"a" * 16, 1: b"b" * 16})
    known = replace(before, hashes=NO_DIGEST * 2)
    memory, after, _ = _remember(known, {})
    assert after.raw_digests == NO_DIGEST * 2
    assert memory.unsettled_ids == set(before.ids)


def test_rows_without_records_have_no_digest() -> None:
    """Where the rows were read no record is known."""
    known = KnownRecords.without_records(KnownListings.of([(7, IS_ACTIVE, None)]))
    _, after, _ = _remember(known, {})
    assert after.raw_digests == NO_DIGEST
