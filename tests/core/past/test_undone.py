"""What a stretch of history replaced can be put together, packed, and put back."""

import json
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.past.undone import Undone

Change = tuple[int, str, str | None]


def _change(listing_id: int, **fields: list[object]) -> Change:
    return listing_id, "updated", json.dumps(fields)


def _undone(*changes: Change) -> Undone:
    undone = Undone()
    undone.undo(changes)
    return undone


def test_the_oldest_value_counts() -> None:
    """Two changes of one field lead back to before the first."""
    undone = _undone(_change(7, price=["1", "2"]), _change(7, price=["2", "3"]))
    state = {"price": "3", "status": "Sold"}
    assert undone.apply_to(7, state)
    assert state == {"price": "1", "status": "Sold"}
    assert undone.changes_read == 2


def test_what_was_added_was_not_known() -> None:
    """A listing that the stretch added was not there at its beginning, whatever came after."""
    undone = _undone((7, "added", None), _change(7, price=["1", "2"]))
    state = {"price": "2"}
    assert not undone.apply_to(7, state)
    assert undone.unknown == {7}


def test_names_that_contain_each_other_are_told_apart() -> None:
    """The quick look at a change's first field is no look at its others."""
    undone = _undone(
        _change(7, price=["1", "2"]), _change(7, price=["2", "3"], status=["Draft", "For Sale"])
    )
    assert undone.before == {"price": {7: "1"}, "status": {7: "Draft"}}


def test_value_that_looks_like_a_field_is_a_value() -> None:
    """Comments may hold what ends a name in JSON."""
    tricky = 'a": [1'
    undone = _undone(_change(7, comments=["", tricky]), _change(7, comments=[tricky, "b"]))
    assert undone.before == {"comments": {7: ""}}


def test_older_stretch_overwrites() -> None:
    """Where both know a value, the older one's leads further back."""
    newer = _undone(_change(7, price=["2", "3"]), _change(8, price=["5", "6"]))
    newer.precede(_undone(_change(7, price=["1", "2"]), (9, "added", None)))
    assert newer.before == {"price": {7: "1", 8: "5"}}
    assert newer.unknown == {9}


def test_purged_listings_are_forgotten() -> None:
    """They are as if they had no history."""
    undone = _undone(_change(7, price=["1", "2"]), (8, "added", None))
    undone.forget([7, 8, 9])
    assert (undone.before["price"], undone.unknown) == ({}, set())


VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=3)


@given(
    st.dictionaries(
        st.sampled_from(["price", "status"]), st.dictionaries(st.integers(1), VALUES, min_size=1)
    ),
    st.sets(st.integers(1)),
)
def test_packing_loses_nothing(before: dict[str, dict[int, object]], unknown: set[int]) -> None:
    """Every value comes back, to the type: 1 is not true."""
    undone = Undone()
    undone.before, undone.unknown = before, unknown
    back = Undone()
    back.precede_packed(undone.pack())
    assert repr(_sorted(back.before)) == repr(_sorted(before))
    assert back.unknown == unknown
    assert back.changes_read == 0


def _sorted(before: dict[str, dict[int, object]]) -> Sequence[object]:
    return sorted((name, sorted(values.items())) for name, values in before.items())


@pytest.mark.parametrize(
    "packed", [b"", b"text", zlib.compress(b"[]"), zlib.compress(b'{"before": {"a": [[1], []]}}')]
)
def test_other_bytes_are_no_checkpoint(packed: bytes) -> None:
    """They raise, and are made anew."""
    with pytest.raises(ValueError, match=r"checkpoint|JSON|unpack"):
        Undone().precede_packed(packed)
