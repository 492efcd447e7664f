"""How much may come."""

import pytest

from discosync.errors import BadData
from discosync.files.bounded import MAX_INVENTORY_BYTES, bounded, most_unpacked

MIB = 1 << 20


def test_bound_is_met_on_both_sides_of_its_edge() -> None:
    """As many bytes as are allowed pass, one more does not."""
    assert list(bounded([b"12", b"34"], 4)) == [b"12", b"34"]
    with pytest.raises(BadData) as caught:
        list(bounded([b"12", b"345"], 4))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("packed", "most"),
    [(0, 64 * MIB), (MIB // 4, 64 * MIB), (MIB, 250 * MIB), (1 << 40, MAX_INVENTORY_BYTES)],
)
def test_packed_inventory_may_hold_250_times_its_size(packed: int, most: int) -> None:
    """At least 64 MiB, and never more than the largest inventory."""
    assert most_unpacked(packed) == most
