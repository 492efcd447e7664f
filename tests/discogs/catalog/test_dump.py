"""The releases dump: only what is wanted, all of it, and where a damaged one breaks off."""

import os
import re
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.catalog.credits import ReleaseCredits, parse_release
from discosync.discogs.catalog.dump import MAX_RECORD_BYTES, DamagedRecord, DumpReader
from discosync.errors import BadData, UsageFault
from tests.support.dump import make_artist, make_release, pack, save_dump, write_dump, write_record

FIVE = [make_release(number) for number in range(1, 6)]


def _ids(items: Collection[ReleaseCredits | DamagedRecord]) -> list[int | None]:
    return [item.release_id for item in items if isinstance(item, ReleaseCredits)]


def _damaged(items: Collection[ReleaseCredits | DamagedRecord]) -> list[DamagedRecord]:
    return [item for item in items if isinstance(item, DamagedRecord)]


def _noisy_records(count: int) -> list[str]:
    """Make records that pack badly, so that a dump of them has many blocks."""
    rng = Random(1)  # noqa: S311 - filler
    return [
        write_record(make_release(number), notes=rng.randbytes(2000).hex())
        for number in range(1, count + 1)
    ]


def _read_unpacked(path: Path, unpacked: bytes, wanted: set[int]) -> list[Any]:
    return list(DumpReader(save_dump(path, unpacked), wanted))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A name for a dump."""
    return tmp_path / "discogs_20260801_releases.xml.gz"


def test_only_wanted_releases_are_read(path: Path) -> None:
    """Wanted releases come out as the API shows them, without names of tracks or companies."""
    dump = save_dump(path, write_dump(map(write_record, FIVE)))
    told: list[int] = []

    reader = DumpReader(dump, {2, 4, 77}, progress=told.append)
    items = list(reader)

    assert items == [parse_release(FIVE[1]), parse_release(FIVE[3])]
    assert (reader.records_seen, reader.records_wanted) == (5, 2)
    assert reader.missing == {77}
    assert reader.fault is None
    assert reader.packed_total == reader.packed_read == sum(told) == dump.stat().st_size


def test_reading_stops_when_nothing_is_wanted_any_more(path: Path) -> None:
    """When all wanted releases were seen, in whatever order, the rest of 10 GB stays unread."""
    records = _noisy_records(400)
    records.insert(3, write_record(make_release(900)))
    reader = DumpReader(save_dump(path, write_dump(records)), {900, 2})

    assert _ids(list(reader)) == [2, 900]
    assert reader.records_seen == 4
    assert reader.packed_total is not None
    assert reader.packed_read < reader.packed_total / 2


def test_damage_behind_the_last_wanted_release_is_nobodys_business(path: Path) -> None:
    """What was not looked at cannot be at fault, however near it is."""
    path.write_bytes(write_dump(map(write_record, FIVE))[:-200])
    reader = DumpReader(path, {1, 3})
    assert _ids(list(reader)) == [1, 3]
    assert reader.fault is None


def test_nothing_wanted_reads_only_the_head(path: Path) -> None:
    """An empty wish is fulfilled at once, though a wrong file is still named."""
    reader = DumpReader(save_dump(path, write_dump(_noisy_records(400))), frozenset())
    assert list(reader) == []
    assert reader.records_seen == 0
    assert reader.packed_total is not None
    assert reader.packed_read < reader.packed_total / 2
    with pytest.raises(BadData):
        _read_unpacked(path, b"<artists></artists>", set())


def _in_members(unpacked: bytes) -> bytes:
    cuts = [0, 1, 700, 701, 2000, len(unpacked)]
    return b"".join(pack(unpacked[start:end]) for start, end in pairwise(cuts))


@pytest.mark.parametrize("name", ["releases.xml", "releases.xml.gz", "no-ending"])
@pytest.mark.parametrize(
    "packing",
    [
        bytes,
        pack,
        _in_members,
        lambda unpacked: _in_members(unpacked) + bytes(1000),
        lambda unpacked: pack(unpacked[:900]) + bytes(70_000) + pack(unpacked[900:]),
    ],
    ids=["plain", "gzip", "members", "padded", "padding between members"],
)
def test_content_tells_how_it_is_packed(
    tmp_path: Path, name: str, packing: Callable[[bytes], bytes]
) -> None:
    """Plain or packed, in one member or several: the first bytes tell, not the name."""
    dump = tmp_path / name
    dump.write_bytes(packing(write_dump(map(write_record, FIVE))))

    reader = DumpReader(dump, {1, 3, 5, 77})

    assert list(reader) == [parse_release(FIVE[i]) for i in (0, 2, 4)]
    assert reader.fault is None
    assert reader.packed_read == dump.stat().st_size


@pytest.mark.parametrize(
    "start",
    [
        '<release id="{}" status="Accepted">',
        "<release id='{}' status='Accepted'>",
        '<release status="Accepted" id="{}">',
        '<release status="a > b" id="{}" note=\'id="3"\'>',
        '<release master_id="3" id="{}">',
        '<release\n  id = "{}"\n  status = "Accepted"\n>',
        '<release\tid="{}"\r\n>',
    ],
)
def test_attributes_in_any_form(path: Path, start: str) -> None:
    """The id is the id, wherever and however it stands in the tag."""
    records = [write_record(release, start=start) for release in FIVE]
    items = _read_unpacked(path, write_dump(records), {2, 5})
    assert items == [parse_release(FIVE[1]), parse_release(FIVE[4])]


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        b"\xef\xbb\xbf",
        b"\n <!-- made up -->\n<!DOCTYPE releases>",
    ],
)
def test_prolog_is_passed_over(path: Path, prolog: bytes) -> None:
    """What XML allows before the first element is no obstacle."""
    assert _ids(_read_unpacked(path, prolog + write_dump(map(write_record, FIVE)), {5})) == [5]


@pytest.mark.parametrize("block_bytes", [1, 7, 100, 4096])
def test_blocks_may_end_anywhere(path: Path, block_bytes: int) -> None:
    """Wherever a block ends, inside a tag or a name, nothing is lost or read twice."""
    unpacked = write_dump(map(write_record, FIVE))
    os.mkfifo(path)
    writer = threading.Thread(target=_drip, args=(path, unpacked, block_bytes))
    writer.start()
    reader = DumpReader(path, {1, 2, 3, 4, 5, 77})
    items = list(reader)
    writer.join()

    assert items == [parse_release(release) for release in FIVE]
    assert (reader.records_seen, reader.fault, reader.packed_total) == (5, None, None)


def _drip(path: Path, content: bytes, block_bytes: int) -> None:
    with path.open("wb", buffering=0) as pipe:
        for start in range(0, len(content), block_bytes):
            pipe.write(content[start : start + block_bytes])


@pytest.mark.parametrize(
    "notes",
    ["\x01\x02\x1f", "\0", "\ufffe\uffff", "&#1;&#x1F;&#xD800;&#0;&#xFFFE;&#99999999;", "\x0b\x0c"],
)
def test_characters_that_xml_forbids_are_dropped(path: Path, notes: str) -> None:
    """A control character, or its number, costs itself and not the record; even in a name."""
    record = write_record(make_release(7, artists=[make_artist(70, "The HERE Hollow")]))
    unpacked = f"<releases>{record.replace('HERE', notes + '&#228;')}</releases>".encode()
    (item,) = _read_unpacked(path, unpacked, {7})
    assert isinstance(item, ReleaseCredits)
    assert item.artists[0].name == "The ä Hollow"


def test_broken_utf8_is_marked(path: Path) -> None:
    """A byte that is no UTF-8 becomes the replacement character."""
    record = write_record(make_release(7, artists=[make_artist(70, "The HERE Hollow")]))
    unpacked = f"<releases>{record}</releases>".encode().replace(b"HERE", b"\xff")
    (item,) = _read_unpacked(path, unpacked, {7})
    assert isinstance(item, ReleaseCredits)
    assert item.artists[0].name == "The \ufffd Hollow"


def test_big_notes_are_no_obstacle(path: Path) -> None:
    """A record with 12 MB of notes is read, and so is its neighbour."""
    records = [write_record(FIVE[0], notes="note " * 2_400_000), write_record(FIVE[1])]
    assert _ids(_read_unpacked(path, write_dump(records), {1, 2, 3})) == [1, 2]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda record: record.replace("</release>", ""), "no end"),
        (lambda record: record.replace("</artists>", "", 1), "not well-formed"),
        (lambda record: record.replace("<id>20</id>", "<id>x</id>"), "'x' is not an id"),
        (lambda record: record.replace("<name>The Hollow 2</name>", "<name/>"), "no name"),
        (
            lambda record: record.replace('id="22"', 'id="99999999999"'),
            "99999999999 is not a possible id",
        ),
        (lambda record: record.replace("Made up.", "&nbsp;"), "undefined entity"),
        (lambda record: record[: len(record) // 2], "no end"),
    ],
)
def test_damaged_record_is_a_value(path: Path, spoil: Callable[[str], str], reason: str) -> None:
    """A wanted record that cannot be read is named with its place; its neighbours are read."""
    records = [write_record(release) for release in FIVE]
    spoilt = spoil(records[1])
    assert spoilt != records[1]
    unpacked = write_dump([records[0], spoilt, *records[2:]])

    reader = DumpReader(save_dump(path, unpacked), {1, 2, 3, 5, 77})
    items = list(reader)

    assert _ids(items) == [1, 3, 5]
    (damaged,) = _damaged(items)
    assert damaged.release_id == 2
    assert reason in damaged.reason
    assert damaged.record_number == 2
    assert unpacked[damaged.unpacked_offset :].startswith(b'<release id="2"')
    assert reader.fault is None


def test_offset_of_a_damaged_record_holds_far_into_the_dump(path: Path) -> None:
    """The place of a damaged record is a byte of the unpacked dump, many blocks on too."""
    records = _noisy_records(1500)
    records[1400] = records[1400].replace("</artists>", "", 1)
    unpacked = write_dump(records)
    (damaged,) = _damaged(_read_unpacked(path, unpacked, {1, 1401}))
    assert damaged.record_number == 1401
    assert unpacked[damaged.unpacked_offset :].startswith(b'<release id="1401"')


def test_unwanted_record_may_be_as_damaged_as_it_likes(path: Path) -> None:
    """Nobody looks into a record that is not wanted, and its neighbours do not suffer."""
    records = [write_record(release) for release in FIVE]
    records[1] = records[1][: len(records[1]) // 2]
    items = _read_unpacked(path, write_dump(records), {1, 3, 77})
    assert _ids(items) == [1, 3]
    assert _damaged(items) == []


def test_record_without_an_id_is_told(path: Path) -> None:
    """A record whose id cannot be read might have been wanted: it is said."""
    records = [write_record(FIVE[0]), write_record(FIVE[1], start='<release status="x">')]
    (damaged,) = _damaged(_read_unpacked(path, write_dump(records), {1, 2}))
    assert (damaged.release_id, damaged.record_number) == (None, 2)


def test_record_that_never_ends_is_given_up(path: Path) -> None:
    """Garbage instead of a record's end is soon left behind, and the next record is found."""
    records = [write_record(FIVE[0])[:200] + "x" * (MAX_RECORD_BYTES + (8 << 20))]
    path.write_bytes(write_dump([*records, write_record(FIVE[1])]))
    reader = DumpReader(path, {1, 2, 3})
    items = iter(reader)

    given_up = next(items)

    assert isinstance(given_up, DamagedRecord)
    assert given_up.release_id == 1
    assert reader.packed_total is not None
    assert reader.packed_read < reader.packed_total - (4 << 20)
    assert _ids(list(items)) == [2]
    assert (reader.records_seen, reader.fault) == (2, None)


def test_release_twice_is_read_once(path: Path) -> None:
    """Of two records of one release the first counts."""
    records = [write_record(FIVE[0]), write_record(make_release(1, labels=[]))]
    assert _read_unpacked(path, write_dump(records), {1, 2}) == [parse_release(FIVE[0])]


def _cut_packed(content: bytes, share: float) -> bytes:
    packed = pack(content)
    return packed[: int(len(packed) * share)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_truncated_dump_keeps_what_came_before(path: Path, share: float) -> None:
    """A download cut short gives everything up to there, and the exact place."""
    unpacked = write_dump(_noisy_records(300))
    path.write_bytes(_cut_packed(unpacked, share))
    readable = zlib.decompressobj(31).decompress(path.read_bytes())
    whole = [int(x) for x in re.findall(rb'<release id="(\d+)".*?</release>', readable)]

    reader = DumpReader(path, set(range(1, 1000)))
    items = list(reader)

    assert _ids(items) == whole
    assert reader.fault is not None
    assert reader.fault.after_release == whole[-1]
    assert reader.fault.records_seen == len(whole)
    assert reader.fault.packed_offset == path.stat().st_size
    assert f"after release {whole[-1]}" in reader.fault.message


def test_truncated_plain_dump(path: Path) -> None:
    """Plain XML that ends inside a record, or between two, breaks off there."""
    unpacked = write_dump(map(write_record, FIVE))
    for end in (unpacked.index(b'<release id="4"'), unpacked.index(b'<release id="4"') + 90):
        path.write_bytes(unpacked[:end])
        reader = DumpReader(path, {1, 2, 3, 4, 5})
        assert _ids(list(reader)) == [1, 2, 3]
        assert reader.fault is not None
        assert (reader.fault.after_release, reader.fault.packed_offset) == (3, end)
        assert "</releases>" in reader.fault.reason


def test_damaged_packing_keeps_what_came_before(path: Path) -> None:
    """A byte that breaks the packed data costs nothing before it; the place is that byte."""
    first, second = (
        write_dump(_noisy_records(300))[i:j] for i, j in ((0, 300_000), (300_000, None))
    )
    good = pack(first)
    bad_at = len(good) + 10  # the first byte behind a header: a block of a kind that there is not
    packed = bytearray(good + pack(second))
    packed[bad_at] |= 0b110
    path.write_bytes(packed)
    whole = [int(x) for x in re.findall(rb'<release id="(\d+)".*?</release>', first)]

    reader = DumpReader(path, set(range(1, 1000)))

    assert _ids(list(reader)) == whole
    assert reader.fault is not None
    assert (reader.fault.packed_offset, reader.fault.after_release) == (bad_at, whole[-1])
    assert "invalid block type" in reader.fault.reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "incorrect data check"),
        (lambda packed: packed[:-4] + b"\0\0\0\1", "incorrect length check"),
        (lambda packed: packed[:-3], "in the middle of the packed data"),
        (lambda packed: packed + b"<html>", "incorrect header check"),
    ],
)
def test_wrong_checksum_is_told(path: Path, spoil: Callable[[bytes], bytes], reason: str) -> None:
    """A dump whose end does not vouch for it is read, and said to be at fault."""
    path.write_bytes(spoil(pack(write_dump(map(write_record, FIVE)))))
    reader = DumpReader(path, {1, 2, 3, 4, 5, 77})
    assert _ids(list(reader)) == [1, 2, 3, 4, 5]
    assert reader.fault is not None
    assert reason in reader.fault.reason
    assert reader.fault.after_release == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (pack(b""), "is empty"),
        (b"\n\n", "no XML"),
        (b"<!DOCTYPE html>\n<html><body>Too many requests</body></html>", "web page"),
        (b"<HTML>", "web page"),
        (pack(b"<artists>\n<artist><id>1</id></artist></artists>"), "of the artists"),
        (b'<?xml version="1.0"?><labels><label><id>1</id></label></labels>', "of the labels"),
        (b'<masters>\n<master id="5"><main_release>7</main_release></master>', "of the masters"),
        (b"<inventory/>", "begins with <inventory>"),
        (b"listing_id,artist,title\r\n1,The Hollow,Tides\r\n", "no XML"),
        (b"0a1b2c *discogs_20260801_releases.xml.gz\n", "no XML"),
        (b"PK\x03\x04 and so on", "packed in a way"),
        (b"BZh91AY", "packed in a way"),
        (pack(write_dump(map(write_record, FIVE)))[:12], "in the middle"),
        (b"\x1f\x8b\x08", "in the middle"),
        (b"\x1f\x8b\xff\xff" + bytes(50), "damaged"),
        (bytes(5000), "no XML"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_file_that_is_no_dump(path: Path, content: bytes, said: str) -> None:
    """Whatever else somebody takes for the dump is refused, named, and told where the dump is."""
    path.write_bytes(content)
    with pytest.raises(BadData, match=said) as caught:
        list(DumpReader(path, {1}))
    assert str(path) in caught.value.message
    assert "discogs_YYYYMMDD_releases.xml.gz" in caught.value.hint


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A path that leads nowhere, or to a directory, is a slip of whoever typed it."""
    with pytest.raises(UsageFault, match=r"nope\.xml\.gz") as caught:
        DumpReader(tmp_path / "nope.xml.gz", {1})
    assert "--from-dump" in caught.value.hint
    with pytest.raises(UsageFault, match="directory"):
        list(DumpReader(tmp_path, {1}))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
def test_disk_that_cannot_read_is_told() -> None:
    """What the disk says is passed on, not taken for the end of the file."""
    with pytest.raises(BadData, match="the disk cannot read on"):
        list(DumpReader(Path("/proc/self/mem"), {1}))


@pytest.mark.parametrize("unpacked", [b"<releases>\n</releases>\n", b"<releases/>"])
def test_empty_dump_is_a_dump(path: Path, unpacked: bytes) -> None:
    """A dump without a single release is whole."""
    reader = DumpReader(save_dump(path, unpacked), {1})
    assert (list(reader), reader.fault, reader.records_seen) == ([], None, 0)


def test_dump_cut_before_its_first_release(path: Path) -> None:
    """When not one release came through, the fault says so."""
    path.write_bytes(write_dump(map(write_record, FIVE))[:80])
    reader = DumpReader(path, {1})
    assert list(reader) == []
    assert reader.fault is not None
    assert (reader.fault.after_release, reader.fault.records_seen) == (None, 0)
    assert "before the first release" in reader.fault.message


def _repeated(count: int) -> Iterator[bytes]:
    packer = zlib.compressobj(1, wbits=31)
    yield packer.compress(b"<releases>")
    filler = Random(2).randbytes(3000).hex()  # noqa: S311 - filler
    for number in range(1, count + 1):
        yield packer.compress(write_record(make_release(number), notes=filler).encode())
    yield packer.compress(b"</releases>") + packer.flush()


def test_memory_does_not_grow_with_the_dump(path: Path) -> None:
    """A dump four times as large takes no more memory."""
    peaks = []
    for count in (2_000, 8_000):
        path.write_bytes(b"".join(_repeated(count)))
        tracemalloc.start()
        read = sum(1 for _ in DumpReader(path, frozenset(range(0, 100_000, 100))))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count // 100
    assert peaks[1] < peaks[0] * 1.1 + 100_000
    assert peaks[1] < 40 << 20


def test_a_bomb_does_not_go_off(path: Path) -> None:
    """A small file that unpacks to half a gigabyte of nothing is read in little memory."""
    packer = zlib.compressobj(9, wbits=31)
    packed = [
        packer.compress(b"<releases>"),
        *(packer.compress(bytes(1 << 22)) for _ in range(128)),
    ]
    path.write_bytes(b"".join(packed) + packer.flush())
    tracemalloc.start()
    items = list(DumpReader(path, {1}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert items == []
    assert peak < 40 << 20


_LEGAL = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters="".join(map(chr, range(32))) + "\ufffe\uffff",
    )
    | st.sampled_from("\t\n\r<>&\"'"),
    max_size=40,
)
_NAMES = _LEGAL.filter(lambda name: bool(name.strip()))
_IDS = st.integers(0, 2**31 - 1)
_ARTISTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": _IDS,
            "name": _NAMES,
            "anv": _LEGAL,
            "join": _LEGAL,
            "role": _LEGAL,
            "tracks": _LEGAL,
        }
    ),
    max_size=4,
)
_LABELS = st.lists(st.fixed_dictionaries({"id": _IDS, "name": _NAMES, "catno": _LEGAL}), max_size=4)


@given(
    st.lists(
        st.fixed_dictionaries({"artists": _ARTISTS, "extraartists": _ARTISTS, "labels": _LABELS}),
        min_size=1,
        max_size=3,
    )
)
def test_dump_and_api_say_the_same(shown: list[dict[str, Any]]) -> None:
    """A release read from the dump has the very credits that the API's answer gives."""
    releases = [{"id": number, **fields} for number, fields in enumerate(shown, start=1)]
    with TemporaryDirectory() as directory:
        dump = save_dump(Path(directory) / "dump.gz", write_dump(map(write_record, releases)))
        items = list(DumpReader(dump, set(range(1, 9))))
    assert items == [parse_release(release) for release in releases]
