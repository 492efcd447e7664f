"""Look releases up in a monthly dump."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from discosync.core.catalog.credits import ReleaseCredits
from discosync.core.catalog.enrichment import DumpUse, Lookup, LookupSource, found
from discosync.core.reporting.findings import Problem
from discosync.discogs.catalog.dump import DamagedRecord, DumpReader
from discosync.errors import BadData
from discosync.runner import Run


class DumpLookups:
    """The wanted releases of one dump, as lookups; read once."""

    def __init__(self, run: Run, path: Path, wanted: frozenset[int]) -> None:
        self._run = run
        self._reader = DumpReader(path, wanted, progress=run.progress.advance)
        self._began = time.monotonic()

    def lookups(self, *, now: datetime) -> Iterator[Lookup]:
        """Read until every wanted release is found; a damaged one is noted as a problem.

        Raises `BadData` for a dump that breaks off, and for one that is of no use. The releases
        before the break have been yielded by then.
        """
        reader = self._reader
        self._run.progress.begin("reading the dump", reader.packed_total)
        damaged = 0
        for item in reader:
            if isinstance(item, ReleaseCredits):
                yield found(item, source=LookupSource.DUMP, now=now)
            else:
                damaged += 1
                self._note(item)
        if reader.fault is not None:
            raise BadData(
                reader.fault.message,
                hint="fetch the dump again, and check it against its CHECKSUM file",
                code="dump_damaged",
            )
        # A dump of artists or labels reads well, and holds no release.
        if not reader.records_seen and reader.missing:
            raise _useless("it holds no release")
        # One damaged record is a notice. If all of them are, the form of the dump has changed.
        if damaged and damaged >= reader.records_wanted:
            raise _useless("none of the releases that are wanted can be read in it")
        if reader.missing:
            text = f"{len(reader.missing):,} releases are not in the dump: they may be newer"
            self._run.findings.problems.append(
                Problem(code="not_in_dump", text=text, is_warning=False)
            )

    def _note(self, damaged: DamagedRecord) -> None:
        which = "?" if damaged.release_id is None else str(damaged.release_id)
        where = f"record {damaged.record_number:,}, byte {damaged.unpacked_offset:,} unpacked"
        text = f"release {which} of the dump cannot be read ({where}): {damaged.reason}"
        self._run.findings.problems.append(Problem(code="bad_release", text=text))

    @property
    def use(self) -> DumpUse:
        """How far the dump was read, and how fast."""
        reader = self._reader
        seconds = max(time.monotonic() - self._began, 0.001)
        return DumpUse(
            records=reader.records_seen,
            bytes=reader.packed_read,
            total_bytes=reader.packed_total or reader.packed_read,
            records_per_second=reader.records_seen / seconds,
        )


def _useless(why: str) -> BadData:
    return BadData(
        f"the dump is of no use: {why}",
        hint="nothing was changed; fetch the dump again",
        code="no_dump",
    )
