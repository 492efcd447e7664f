"""What a passage passes over is what reading each record would find."""

import zlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.planning.known import KnownListings
from discosync.core.recall.passages import PassageLog, Passages

lists = st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 5)), max_size=8)


@given(lists, st.data())
def test_passages_survive_packing(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    """Sizes, counts, digests and positions come back, in whatever order the positions are."""
    count = sum(n for _, n in sizes)
    positions = data.draw(st.lists(st.integers(0, 2**31 - 1), min_size=count, max_size=count))
    passages = Passages(
        sizes=array("I", [size for size, _ in sizes]),
        counts=array("I", [n for _, n in sizes]),
        digests=b"".join(bytes([at]) * 16 for at in range(len(sizes))),
        positions=array("I", positions),
    )
    assert Passages.unpack(passages.pack()) == passages


@pytest.mark.parametrize(
    "packed",
    [b"", b"nonsense", zlib.compress(b""), zlib.compress(b"\x01" * 7), zlib.compress(b"\x01" * 90)],
)
def test_harmed_passages_are_refused(packed: bytes) -> None:
    """What is no passages is told by a `ValueError`, whatever it is."""
    with pytest.raises(ValueError, match="cannot be read"):
        Passages.unpack(packed)


def _known(*ids: int) -> KnownListings:
    return KnownListings.of((i, 1, None) for i in ids)


def test_only_settled_and_known_records_are_passed_over() -> None:
    """A passage with a record of nobody, of a stranger, or an unsettled one is not left."""
    log = PassageLog(2)
    log.note_records([b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"], [1, 2, 3, 0, 5, 9, 7, 8])
    left = log.finish(_known(1, 2, 3, 5, 7, 8), unsettled={8})
    assert (list(left.counts), list(left.positions), list(left.sizes)) == ([2], [0, 1], [4])


def test_positions_follow_any_order() -> None:
    """Where a file is not sorted by its ids, positions are found all the same."""
    log = PassageLog(3)
    log.note_records([b"x"] * 4, [8, 1, 7, 2])
    left = log.finish(_known(1, 2, 7, 8), unsettled=frozenset())
    assert (list(left.counts), list(left.positions)) == ([3, 1], [3, 0, 2, 1])
