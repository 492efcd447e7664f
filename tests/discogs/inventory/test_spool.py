"""Whatever comes in, packed or plain, lies on the disk as one plain CSV."""

import bz2
import gzip
import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from discosync.discogs.inventory.spool import Spool, copy_stream, digest, unpack
from discosync.errors import BadData, StorageFailed

CSV = b"listing_id,price\r\n7,1.50\r\n" * 50


def _zip(*names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name in names:
            archive.writestr(name, CSV)
    return packed.getvalue()


def _zip_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        CSV,
        gzip.compress(CSV),
        gzip.compress(CSV[:70]) + gzip.compress(CSV[70:]),
        gzip.compress(CSV) + b"\0" * 512,
        _zip("shop-inventory-20260825-0704.csv"),
        _zip("SHOP.CSV", "readme.txt", "__MACOSX/._SHOP.CSV"),
    ],
    ids=["plain", "gzip", "gzip of two members", "gzip on a tape", "zip", "zip by macOS"],
)
def test_packing_is_known_by_its_first_bytes(tmp_path: Path, packed: bytes) -> None:
    """A file's name says nothing; the CSV comes out as it went in."""
    source, plain = tmp_path / "any.name", tmp_path / "plain.csv"
    source.write_bytes(packed)
    unpack(source, plain)
    assert plain.read_bytes() == CSV
    assert digest(plain) == (hashlib.sha256(CSV).hexdigest(), len(CSV))


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(CSV)[:-20],
        gzip.compress(CSV)[:-8] + b"\0" * 8,
        gzip.compress(CSV)[:5],
        gzip.compress(CSV) + b"and more",
        gzip.compress(CSV) + gzip.compress(CSV)[:-9],
        _zip("a.csv")[:-40],
        _zip("a.csv", "b.csv"),
        _zip("readme.txt"),
        _zip("a.csv", method=zipfile.ZIP_BZIP2).replace(bz2.compress(CSV)[:20], b"\0" * 20),
    ],
    ids=[
        "gzip cut",
        "gzip checksum",
        "gzip header",
        "garbage behind",
        "second member cut",
        "zip cut",
        "two CSV files",
        "no CSV file",
        "bzip2 damaged",
    ],
)
def test_damaged_archive_is_bad_data(tmp_path: Path, packed: bytes) -> None:
    """An archive that cannot be unpacked as a whole is no inventory."""
    source = tmp_path / "packed"
    source.write_bytes(packed)
    with pytest.raises(BadData) as caught:
        unpack(source, tmp_path / "plain.csv")
    assert caught.value.code == "damaged_archive"


@pytest.mark.parametrize("pack", [gzip.compress, _zip_of], ids=["gzip", "zip"])
def test_archive_that_holds_far_more_than_an_inventory_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """A few kilobytes must not fill the disk."""
    source = tmp_path / "packed"
    source.write_bytes(pack(b"\0" * (65 << 20)))
    with pytest.raises(BadData, match="more than 64 MiB unpacked") as caught:
        unpack(source, tmp_path / "plain.csv")
    assert caught.value.code == "too_large"
    assert (tmp_path / "plain.csv").stat().st_size <= 64 << 20


def test_full_disk_is_no_damaged_archive(tmp_path: Path) -> None:
    """What the disk refuses is said of the disk."""
    source = tmp_path / "packed"
    source.write_bytes(gzip.compress(CSV))
    with pytest.raises(StorageFailed, match="/dev/full"):
        unpack(source, Path("/dev/full"))


def test_pipe_is_read_once(tmp_path: Path) -> None:
    """A named pipe comes onto the disk whole."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(CSV,))
    writer.start()
    copy_stream(pipe, tmp_path / "copy")
    writer.join()
    assert (tmp_path / "copy").read_bytes() == CSV


def test_spool_begins_empty_and_is_its_owners(tmp_path: Path) -> None:
    """What a killed run left is gone, and nobody else may read what comes."""
    spool = Spool(tmp_path / "a" / "spool")
    spool.prepare()
    spool.path("left.part").write_bytes(CSV)
    spool.prepare()
    assert list(spool.directory.iterdir()) == []
    assert spool.directory.stat().st_mode & 0o777 == 0o700
    spool.remove()
    spool.remove()
    assert not spool.directory.exists()


def test_spool_of_another_sellers_killed_run_is_removed(tmp_path: Path) -> None:
    """One that a living run holds stays, and so does an inventory that is kept."""
    dead, living = tmp_path / "dead-0123abcd", Spool(tmp_path / "living-0123abcd")
    living.prepare()
    for path in (dead, tmp_path / "dead-0123abcd.kept"):
        path.mkdir()
        (path / "inventory.csv").write_bytes(CSV)
    spool = Spool(tmp_path / "mine-0123abcd")
    spool.prepare()
    names = {path.name for path in tmp_path.iterdir()}
    living.remove()
    spool.remove()
    assert names == {"living-0123abcd", "mine-0123abcd", "dead-0123abcd.kept"}


def test_kept_file_replaces_the_one_before(tmp_path: Path) -> None:
    """Of what is kept for later only the newest is there, until something newer is applied."""
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    for name in ("one.csv", "two.csv"):
        spool.path(name).write_bytes(CSV)
        kept = spool.keep(spool.path(name))
    spool.remove()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["two.csv"]
    spool.forget_kept()
    assert not kept.parent.exists()


def test_spool_where_no_directory_can_be(tmp_path: Path) -> None:
    """A file in its place is named."""
    (tmp_path / "spool").write_bytes(b"")
    with pytest.raises(StorageFailed, match="spool"):
        Spool(tmp_path / "spool").prepare()
