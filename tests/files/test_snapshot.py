"""A snapshot is opened, and read as listings or as raw blocks."""

from pathlib import Path

import pytest

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.errors import BadData, StorageFailed
from discosync.files.snapshot import open_snapshot
from tests.support.shop import make_shop, write_export


def _snapshot(path: Path, **more: object) -> Snapshot:
    snapshot = {"source": Source.FILE, "seller": "shop", "sha256": "", "size_bytes": 0}
    return Snapshot(path=path, as_of=None, **(snapshot | more))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An export with three listings."""
    return write_export(tmp_path / "export.csv", make_shop(3))


def test_records_are_read_in_order_and_again(path: Path) -> None:
    """Each opening begins at the first record."""
    snapshot = _snapshot(path, currency="EUR")
    for _ in range(2):
        with open_snapshot(snapshot) as opened:
            found = list(opened.records)
            assert [x.listing_id for x in found] == [x.listing_id for x in make_shop(3)]


def test_currency_is_seen_when_the_snapshot_knows_it(path: Path) -> None:
    """The CSV has no column for it; hidden fields are not seen although they have one."""
    hidden = frozenset({"location"})
    with open_snapshot(_snapshot(path, hidden=hidden)) as opened:
        assert "price_currency" not in opened.sees
        assert "location" not in opened.sees
        assert "status" in opened.sees
    with open_snapshot(_snapshot(path, currency="EUR")) as opened:
        assert {"price_currency", "location"} <= opened.sees


def test_bad_record_is_a_value(path: Path) -> None:
    """Its neighbours are read."""
    path.write_bytes(path.read_bytes().replace(b",12.5,", b",cheap,", 1))
    with open_snapshot(_snapshot(path, currency="EUR")) as opened:
        found = list(opened.records)
    assert sum(isinstance(x, RejectedRecord) for x in found) == 1
    assert len(found) == 3


def test_file_without_a_header_is_no_snapshot(tmp_path: Path) -> None:
    """Neither is an empty one; one that is not there is the disk's."""
    for content in (b"", b"a,b\r\n1,2\r\n"):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(BadData), open_snapshot(_snapshot(tmp_path / "x.csv")):
            pass
    with pytest.raises(StorageFailed), open_snapshot(_snapshot(tmp_path / "missing.csv")):
        pass
