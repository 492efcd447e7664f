"""A file that the seller downloaded becomes a snapshot."""

import gzip
import io
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from discosync.core.inventory.snapshot import Source
from discosync.discogs.inventory.downloaded_file import STDIN, load_file
from discosync.discogs.inventory.spool import Spool
from discosync.errors import UsageFault

CSV = b"listing_id,release_id,status,price\r\n7,9,For Sale,1.50\r\n"
NAME = "velvet-crates-inventory-20260825-0704.csv"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    return spool


def test_discogs_own_name_gives_the_moment(tmp_path: Path, spool: Spool) -> None:
    """The name holds minutes in Pacific time, so the moment may be 59 seconds off."""
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(gzip.compress(CSV))
    snapshot = load_file(path, seller="velvet-crates", currency="EUR", spool=spool)
    assert snapshot.as_of == datetime(2026, 8, 25, 14, 4, tzinfo=UTC)
    assert snapshot.as_of_precision == timedelta(seconds=59)
    assert (snapshot.source, snapshot.currency) == (Source.FILE, "EUR")
    assert snapshot.path.read_bytes() == CSV
    assert path.exists()


def test_another_name_gives_no_moment_and_no_count(tmp_path: Path, spool: Spool) -> None:
    """Nothing but its own form confirms a file."""
    path = tmp_path / "inventory.csv"
    path.write_bytes(CSV)
    snapshot = load_file(path, seller="velvet-crates", currency=None, spool=spool)
    assert (snapshot.as_of, snapshot.expected_items, snapshot.currency) == (None, None, None)


def test_pipe_is_a_file_too(tmp_path: Path, spool: Spool) -> None:
    """A named pipe is unpacked as a file is, and leaves no draft."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(CSV),))
    writer.start()
    snapshot = load_file(pipe, seller="velvet-crates", currency=None, spool=spool)
    writer.join()
    assert snapshot.path.read_bytes() == CSV
    assert list(spool.directory.iterdir()) == [snapshot.path]


def test_standard_input_is_a_file_too(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    snapshot = load_file(STDIN, seller="velvet-crates", currency=None, spool=spool)
    assert snapshot.path.read_bytes() == CSV


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, spool: Spool, name: str) -> None:
    """A wrong path is the caller's fault."""
    with pytest.raises(UsageFault, match="cannot read") as caught:
        load_file(tmp_path / name, seller="velvet-crates", currency=None, spool=spool)
    assert caught.value.code == "no_file"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_device_is_no_file(spool: Spool, path: str) -> None:
    """One never ends, one is always empty, and one waits for somebody to type."""
    with pytest.raises(UsageFault, match="is a device, and no file"):
        load_file(Path(path), seller="velvet-crates", currency=None, spool=spool)


def test_standard_input_that_is_closed_is_told(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`<&-` leaves nothing to read."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageFault, match="it is closed"):
        load_file(STDIN, seller="velvet-crates", currency=None, spool=spool)


def test_standard_input_that_is_a_terminal_is_told(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody types an inventory, and the run would wait for ever."""
    _, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UsageFault, match="it is a terminal"):
            load_file(STDIN, seller="velvet-crates", currency=None, spool=spool)
