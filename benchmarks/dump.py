"""Time the reader of the releases dump and two plain parsers, each in a process of its own.

    python benchmarks/dump.py [--records 200000] [--wanted 0.05] [--runs 3] [--keep FILE]

Makes a dump of made-up records of about 10 kB each, then prints medians: records and unpacked MB a
second, and the peak memory of the process. `prefilter` only cuts records, reads their ids and
parses the wanted ones; `iterparse` is the standard library's parser, on a tenth of the records.
"""

import argparse
import gzip
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

from discosync.discogs.catalog.dump import DumpReader
from discosync.sandbox.dump import render_dump, render_record
from discosync.sandbox.inventory import make_inventory
from discosync.sandbox.releases import render_release

_TEMPLATES = 500
_BLOCK_BYTES = 1 << 20
_ITERPARSE_SHARE = 10
_BARE_ID = re.compile(rb'<release id="(\d+)"')


def _write_dump(path: Path, records: int) -> int:
    """Write a dump and return its unpacked size; each record has other words, to pack like one."""
    rng = Random(1)
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randrange(2, 9))) for _ in range(4000)
    ]
    filler = [" ".join(rng.choices(words, k=12)) for _ in range(250)]
    templates = [
        render_record(render_release(listing)).decode() for listing in make_inventory(_TEMPLATES)
    ]
    unpacked = 0

    def make_records() -> Iterator[bytes]:
        nonlocal unpacked
        for number in range(1, records + 1):
            notes = "\n".join(rng.choices(filler, k=rng.randrange(40, 180)))
            record = re.sub(r'id="\d+"', f'id="{number}"', templates[number % _TEMPLATES], count=1)
            encoded = record.replace("Made up.", notes).encode()
            unpacked += len(encoded) + 1
            yield encoded

    with path.open("wb") as file:
        file.writelines(render_dump(make_records()))
    return unpacked


def _read_reader(path: Path, wanted: frozenset[int]) -> int:
    return sum(1 for _ in DumpReader(path, wanted))


def _read_prefilter(path: Path, wanted: frozenset[int]) -> int:
    found = 0
    buffer = b""
    with gzip.open(path) as file:
        while block := file.read(_BLOCK_BYTES):
            buffer += block
            position = 0
            while (end := buffer.find(b"</release>", position)) >= 0:
                start = buffer.find(b"<release ", position, end)
                match = _BARE_ID.match(buffer, start)
                if match and int(match[1]) in wanted:
                    ET.fromstring(buffer[start : end + 10])  # noqa: S314 - our own dump
                    found += 1
                position = end + 10
            buffer = buffer[position:]
    return found


def _read_iterparse(path: Path, wanted: frozenset[int]) -> int:
    found = 0
    with gzip.open(path) as file:
        events = ET.iterparse(file, events=("start", "end"))  # noqa: S314 - our own dump
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag == "release":
                found += int(element.get("id", "0")) in wanted
                root.clear()
    return found


def _inflate(path: Path, wanted: frozenset[int]) -> int:
    del wanted
    with gzip.open(path) as file:
        while file.read(_BLOCK_BYTES):
            pass
    return 0


_WAYS: dict[str, Callable[[Path, frozenset[int]], int]] = {
    "reader": _read_reader,
    "prefilter": _read_prefilter,
    "iterparse": _read_iterparse,
    "inflate only": _inflate,
}


def _choose(records: int, share: float) -> frozenset[int]:
    """Choose the wanted releases, and one that the dump lacks, so that no reader stops early."""
    rng = Random(2)
    return frozenset(rng.sample(range(1, records + 1), int(records * share))) | {records + 1}


def _work(way: str, path: Path, records: int, share: float) -> None:
    """Run one parser in this process; print the number found, seconds, and peak memory in kB."""
    wanted = _choose(records, share)
    began = time.perf_counter()
    found = _WAYS[way](path, wanted)
    seconds = time.perf_counter() - began
    # Not ru_maxrss: a process inherits that of whoever started it.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(found, seconds, peak[1] if peak else 0)


def _run(way: str, path: Path, records: int, share: float) -> tuple[int, float, int]:
    command = [sys.executable, __file__, "--way", way, "--keep", str(path)]
    sizes = ["--records", str(records), "--wanted", str(share)]
    done = subprocess.run([*command, *sizes], check=True, capture_output=True, text=True)
    found, seconds, memory = done.stdout.split()
    return int(found), float(seconds), int(memory)


def _measure(path: Path, small: Path, options: argparse.Namespace) -> None:
    sizes = {
        path: (options.records, _write_dump(path, options.records)),
        small: (
            options.records // _ITERPARSE_SHARE,
            _write_dump(small, options.records // _ITERPARSE_SHARE),
        ),
    }
    print(f"{options.records:,} records, {sizes[path][1] / 1e6:,.0f} MB unpacked, ", end="")
    print(f"{path.stat().st_size / 1e6:,.0f} MB packed, {options.wanted:.0%} wanted")
    runs: dict[str, list[tuple[int, float, int]]] = {way: [] for way in _WAYS}
    for _ in range(options.runs):  # in turns: a busy machine is busy for all
        for way, done in runs.items():
            dump = small if way == "iterparse" else path
            done.append(_run(way, dump, sizes[dump][0], options.wanted))
    for way, done in runs.items():
        records, unpacked = sizes[small if way == "iterparse" else path]
        seconds = statistics.median(run[1] for run in done)
        print(
            f"{way:<13}{records / seconds:>10,.0f} records/s{unpacked / 1e6 / seconds:>8,.0f} MB/s"
            f"{max(run[2] for run in done) / 1024:>6,.0f} MB memory{done[0][0]:>8,} found"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--wanted", type=float, default=0.05, help="a share")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where to leave the dump")
    parser.add_argument("--way", choices=_WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        _work(options.way, options.keep, options.records, options.wanted)
        return
    with tempfile.TemporaryDirectory() as name:
        small = Path(name) / "small.xml.gz"
        _measure(options.keep or Path(name) / "dump.xml.gz", small, options)


if __name__ == "__main__":
    main()
