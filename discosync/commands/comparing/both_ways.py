"""Fetch one seller's inventory by export and by pages, and explain where the two differ."""

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from discosync.commands.steps.committing import as_committed, recording
from discosync.commands.syncing.fetching import FetchOptions
from discosync.commands.syncing.from_api import ApiFetcher
from discosync.commands.syncing.mirror import Mirror
from discosync.commands.syncing.planning import plan_snapshot
from discosync.core.inventory.listing import Listing
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.reporting.comparison import (
    Comparison,
    Shown,
    Side,
    Sightings,
    differing_ids,
    digest_shown,
    explain,
)
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report import count_listings
from discosync.core.reporting.report_parts import ApiUse
from discosync.database.runs.records import record_run
from discosync.discogs.inventory.export_job import ExportUnavailable
from discosync.discogs.inventory.spool import Spool
from discosync.errors import Mismatch, StorageFailed
from discosync.files.parsed_file import ParsedFile
from discosync.files.snapshot import open_snapshot
from discosync.files.temporary import temporary_directory
from discosync.runner import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    """One side: its snapshot on disk, and what it cost."""

    side: Side
    snapshot: Snapshot
    sees: frozenset[str]


class BothWays:
    """Fetches one seller's inventory by export and by pages, and compares the two."""

    def __init__(self, run: Run, mirror: Mirror) -> None:
        self._run, self._mirror = run, mirror
        self._used = ApiUse()
        self._is_sandbox = False

    def compare(self) -> Comparison:
        """Fetch the export, then the pages, then what explains their differences."""
        with temporary_directory() as directory:
            export = self._fetch(Source.EXPORT, directory / "export")
            pages = self._fetch(Source.PAGES, directory / "pages")
            common = export.sees & pages.sees
            with self._run.phase("compare"):
                shown = [_digest(fetched.snapshot, common) for fetched in (export, pages)]
                ids = differing_ids(*shown)
            # An export takes minutes, and where nothing differs there is nothing to explain.
            second = self._fetch_second(export, directory / "second") if ids else None
            differences = explain(
                ids,
                Sightings(
                    export=_load(export.snapshot, ids),
                    pages=_load(pages.snapshot, ids),
                    second=_load(second.snapshot, ids) if second else None,
                ),
                common=common,
                second_as_of=second.snapshot.as_of if second else None,
                pages_complete=pages.side.is_complete,
            )
        return Comparison(
            export=export.side,
            pages=pages.side,
            compared=len(shown[0].digests.keys() | shown[1].digests.keys()),
            differences=differences,
            second_as_of=second.snapshot.as_of if second else None,
        )

    def record(self, mismatch: Mismatch | None) -> None:
        """Keep the comparison as evidence for whoever rolls the flag out."""
        run = self._run
        if self._mirror.filled_database is None:
            text = "not recorded: there is no database before the first sync"
            run.findings.problems.append(Problem(code="not_recorded", text=text, is_warning=False))
            return
        try:
            database = self._mirror.database
            with recording(run, database), database.session(writes=True) as session:
                report = run.report(mismatch)
                record_run(session, report, is_sandbox=self._is_sandbox)
                run.signals.reach_commit()
            run.committed = as_committed(run, report)
        except StorageFailed as exc:
            text = f"the comparison could not be recorded: {exc.message}"
            run.findings.problems.append(Problem(code="not_recorded", text=text))

    def _fetch(self, source: Source, directory: Path) -> _Fetched:
        run, began = self._run, time.monotonic()
        directory.mkdir()
        fetcher = ApiFetcher(run, self._mirror, FetchOptions(source=source))
        with closing(fetcher):
            with run.phase(source.value):
                fetched = fetcher.fetch(Spool(directory))
                seconds, api = time.monotonic() - began, run.api_use()
            self._is_sandbox |= bool(fetched.is_sandbox)
            planned = plan_snapshot(
                run,
                self._mirror.filled_database,
                fetched,
                ParsedFile(directory.with_name("parsed")),
                last=self._mirror.last,
            )
            self._add_use(run.api_use())
        # Each side names its source; the run as a whole has none.
        run.findings.source = run.findings.source_reason = None
        side = Side(
            source=source.value,
            as_of=fetched.snapshot.as_of,
            for_sale=planned.changes.for_sale,
            is_complete=fetched.snapshot.incomplete_because is None,
            api=api,
            seconds=seconds,
            would=count_listings(planned.changes),
        )
        return _Fetched(side=side, snapshot=fetched.snapshot, sees=planned.sees)

    def _fetch_second(self, first: _Fetched, directory: Path) -> _Fetched | None:
        """Ask for one more export: what changed between the two is explained by time."""
        # Only an export newer than the first one is of use.
        last = replace(self._mirror.last, as_of=first.snapshot.as_of)
        self._mirror = replace(self._mirror, last=last)
        try:
            return self._fetch(Source.EXPORT, directory)
        except ExportUnavailable as exc:
            text = f"no second export, so nothing can be explained by time: {exc.message}"
            self._run.findings.problems.append(Problem(code="no_second_export", text=text))
            return None

    def _add_use(self, use: ApiUse) -> None:
        total = ApiUse(
            requests=self._used.requests + use.requests,
            retries=self._used.retries + use.retries,
            throttled_seconds=self._used.throttled_seconds + use.throttled_seconds,
            bytes=self._used.bytes + use.bytes,
        )
        self._used = total
        # Each fetch has a meter of its own; the run's report counts all of them.
        self._run.api_use = lambda: total


def _digest(snapshot: Snapshot, common: frozenset[str]) -> Shown:
    with open_snapshot(snapshot) as opened:
        return digest_shown(opened.records, common=common)


def _load(snapshot: Snapshot, ids: set[int]) -> dict[int, Listing]:
    """Load those of some listings that a snapshot shows For Sale."""
    if not ids:
        return {}
    with open_snapshot(snapshot) as opened:
        return {
            record.listing_id: record
            for record in opened.records
            if isinstance(record, Listing) and record.listing_id in ids and record.is_for_sale
        }
