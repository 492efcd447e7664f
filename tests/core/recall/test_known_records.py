"""Known listings with the digests of their records."""

from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST
from discosync.core.planning.known import KnownListings
from discosync.core.recall.known_records import KnownRecords

ids = st.lists(st.integers(1, 2**40), unique=True, max_size=12)


def _records(listing_ids: list[int]) -> KnownRecords:
    known = KnownListings.of((i, 1, None) for i in listing_ids)
    digests = b"".join(i.to_bytes(DIGEST_BYTES, "big") for i in known.ids)
    return KnownRecords(ids=known.ids, flags=known.flags, raw_digests=digests)


@given(ids, st.integers(1, 5))
def test_chunks_put_together_are_the_whole(listing_ids: list[int], size: int) -> None:
    """Nothing is lost where the arrays are cut."""
    known = _records(listing_ids)
    chunks = list(known.chunks(size))
    assert [i for chunk in chunks for i in chunk.ids] == list(known.ids)
    assert b"".join(chunk.flags for chunk in chunks) == known.flags
    assert b"".join(chunk.raw_digests for chunk in chunks) == known.raw_digests


@given(ids)
def test_every_digest_leads_to_its_listing(listing_ids: list[int]) -> None:
    """The index maps digests to positions, of all listings or of some."""
    known = _records(listing_ids)
    index = known.index_raw_digests()
    assert {known.ids[position] for position in index.values()} == set(listing_ids)
    for digest, position in index.items():
        assert known.raw_digest_at(position) == digest
        assert known.index_raw_digests([position]) == {digest: position}


def test_no_digest_leads_nowhere() -> None:
    """A listing that no record settles is not recognised by the absence of a digest."""
    known = _records([1])
    unsettled = KnownRecords(ids=known.ids, flags=known.flags, raw_digests=NO_DIGEST)
    assert unsettled.index_raw_digests() == {}
    assert unsettled.checksum != known.checksum
