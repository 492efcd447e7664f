"""`discosync compare`: both methods side by side, and nothing of the inventory written."""

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from discosync.commands.steps.run_flags import flags_of_run
from discosync.commands.syncing.fetching import FetchOptions
from discosync.commands.syncing.from_api import ApiFetcher
from discosync.commands.syncing.opening import Mirror, open_mirror, seller_of
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
from discosync.database.connection.engine import open_database
from discosync.database.runs.records import record_run
from discosync.discogs.inventory.export_job import ExportUnavailable
from discosync.discogs.inventory.spool import Spool
from discosync.errors import Mismatch, StorageFailed
from discosync.files.parsed import ParsedFile
from discosync.files.snapshot import open_snapshot
from discosync.runner import Run, RunRequest
from discosync.settings import current_environment, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """A whole `compare`: whose inventory, with which settings."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    lock_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    """One side: its snapshot on disk, and what it cost."""

    side: Side
    snapshot: Snapshot
    sees: frozenset[str]


def compare_seller(run: Run, request: CompareRequest) -> None:
    """Fetch by both methods, compare, record the comparison; raise `Mismatch` when they differ.

    1. Find out who is meant; lock the seller.
    2. Fetch the export and the pages, and explain where they differ.
    3. Record the comparison.
    """
    settings = load_settings(config=request.config, environ=current_environment())
    run.set_up_logging(settings.log_format)
    seller = seller_of(settings, named=request.seller)
    settings = settings.for_seller(seller)
    database = open_database(
        settings.database_url.reveal(), read_only=False, application="discosync compare"
    )
    # The lock also keeps two exports apart: Discogs would answer the second one with 409.
    wait_seconds = request.lock_wait_seconds
    with open_mirror(run, settings, database, seller, wait_seconds=wait_seconds) as mirror:
        run.findings.flags = flags_of_run(run, mirror, mirror.state, asked={})
        comparing = _BothWays(run, mirror)
        run.findings.comparison = comparing.compare()
        mismatch = _mismatch(run.findings.comparison)
        comparing.record(mismatch)
    if mismatch is not None:
        raise mismatch


def _mismatch(comparison: Comparison) -> Mismatch | None:
    if not comparison.unexplained:
        return None
    first = comparison.unexplained[0]
    return Mismatch(
        f"export and pages differ in {len(comparison.unexplained):,} listings, and nothing "
        f"explains it; the first is {first.listing_id} ({first.heading})",
        hint="the inventory is as it was; compare again, and keep USE_CSV_EXPORT off until they "
        "agree: `discosync rollback-flag use-csv-export --reason …`",
    )


class _BothWays:
    """Takes both ways to one seller's inventory."""

    def __init__(self, run: Run, mirror: Mirror) -> None:
        self._run, self._mirror = run, mirror
        self._used = ApiUse()
        self._is_sandbox = False

    def compare(self) -> Comparison:
        """Fetch the export, then the pages, then what explains their differences."""
        with tempfile.TemporaryDirectory(prefix="discosync-") as name:
            export = self._fetch(Source.EXPORT, Path(name) / "export")
            pages = self._fetch(Source.PAGES, Path(name) / "pages")
            common = export.sees & pages.sees
            with self._run.phase("compare"):
                shown = [_digest(fetched.snapshot, common) for fetched in (export, pages)]
                ids = differing_ids(*shown)
            second = self._fetch_second(export, Path(name) / "second") if ids else None
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
            text = "not recorded: the first sync makes the database"
            run.findings.problems.append(Problem(code="not_recorded", text=text, is_warning=False))
            return
        try:
            with self._mirror.database.session(writes=True) as session:
                record_run(session, run.report(mismatch), is_sandbox=self._is_sandbox)
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
                fetched.snapshot,
                ParsedFile(directory.with_name("parsed")),
                last=self._mirror.last,
                count_again=fetched.count_again,
            )
            self._add_use(run.api_use())
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
        self._run.api_use = lambda: total


def _digest(snapshot: Snapshot, common: frozenset[str]) -> Shown:
    with open_snapshot(snapshot) as opened:
        return digest_shown(opened.records, common=common)


def _load(snapshot: Snapshot, ids: set[int]) -> dict[int, Listing]:
    """Load some listings of a snapshot, as far as they are For Sale."""
    if not ids:
        return {}
    with open_snapshot(snapshot) as opened:
        return {
            record.listing_id: record
            for record in opened.records
            if isinstance(record, Listing) and record.listing_id in ids and record.is_for_sale
        }
