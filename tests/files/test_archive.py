"""An archive is whole, or it is none; what it holds comes back as it was."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from discosync.errors import BackupFailed, BadData
from discosync.files.archive import Archive, inspect_archive, read_archive, write_archive

RUN = {"type": "run", "run_id": "r1"}
LISTING: dict[str, Any] = {
    "type": "listing",
    "row": {"listing_id": "7", "is_active": False, "price_value": "1.50", "comments": "Größe 💿"},
    "changes": [{"kind": "added"}, {"kind": "removed"}],
}


def _write(directory: Path, *lines: dict[str, Any]) -> Archive:
    return write_archive(directory / "sub" / "purged.jsonl.gz", {"seller": "shop"}, lines)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    """Header, lines and end, in this order; the counts are those of the end."""
    archive = _write(tmp_path, RUN, LISTING)
    header, *lines, end = read_archive(archive.path)
    assert (header["seller"], lines) == ("shop", [RUN, LISTING])
    assert end == {"type": "end", "runs": 1, "listings": 1, "changes": 2}
    assert inspect_archive(archive.path) == (header, archive)
    assert (archive.listings, archive.changes) == (1, 2)


def test_archive_is_its_owners_and_leaves_no_draft(tmp_path: Path) -> None:
    """What it holds was private to the seller."""
    path = _write(tmp_path, LISTING).path
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_same_content_is_the_same_file(tmp_path: Path) -> None:
    """No moment and no name is packed with it, so a digest can be compared."""
    one, two = (_write(tmp_path / name, RUN, LISTING) for name in ("a", "b"))
    assert (one.sha256, one.size_bytes) == (two.sha256, two.size_bytes)


def _end(**counts: int) -> dict[str, Any]:
    return {"type": "end", "runs": 0, "listings": 1, "changes": 2, **counts}


HEADER = {"type": "header", "format": "discosync-archive", "version": 1}
LINES_OF_A_BROKEN_ONE = [
    [HEADER, LISTING],
    [HEADER, LISTING, _end(listings=2)],
    [HEADER, LISTING, _end(), LISTING],
    [HEADER, _end(listings=0)][:1],
    [{**HEADER, "format": "another"}, LISTING, _end()],
    [{**HEADER, "version": 2}, LISTING, _end()],
    [LISTING, _end()],
    [HEADER, {"kind": "listing"}, _end()],
    [],
]


@pytest.mark.parametrize("lines", LINES_OF_A_BROKEN_ONE, ids=range(len(LINES_OF_A_BROKEN_ONE)))
def test_archive_that_is_not_whole_is_refused(tmp_path: Path, lines: list[Any]) -> None:
    """Without its end, with other counts, of another program or version: nothing is restored."""
    path = tmp_path / "broken.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(x) + "\n" for x in lines).encode()))
    with pytest.raises(BadData) as caught:
        list(read_archive(path))
    assert caught.value.code == "damaged_archive"


@pytest.mark.parametrize(
    "harm",
    [lambda packed: packed[:-10], lambda _packed: b"text", lambda packed: b"\x1f\x8b" + packed[9:]],
)
def test_damaged_packing_is_refused(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    """Bytes that cannot be unpacked are no archive."""
    path = _write(tmp_path, LISTING).path
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(BadData):
        inspect_archive(path)


def test_listing_that_no_purge_wrote_is_refused(tmp_path: Path) -> None:
    """An archive that somebody edited must not bring an active listing back."""
    row = {**LISTING["row"], "is_active": True}
    path = _write(tmp_path, {**LISTING, "row": row}).path
    assert len(list(read_archive(path))) == 3
    with pytest.raises(BadData, match="is for sale"):
        inspect_archive(path)


def test_missing_archive_is_named(tmp_path: Path) -> None:
    """It has a code of its own, because a name is looked for in two directories."""
    with pytest.raises(BadData) as caught:
        list(read_archive(tmp_path / "nothing.gz"))
    assert caught.value.code == "no_archive"


def test_archive_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file stands where the directory should be; nothing is left behind."""
    (tmp_path / "sub").write_bytes(b"")
    with pytest.raises(BackupFailed, match="cannot be written"):
        _write(tmp_path, LISTING)
    assert list(tmp_path.iterdir()) == [tmp_path / "sub"]
