"""`discosync compare`: both methods side by side, and nothing of the inventory written."""

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.run_flags import flags_of_run
from discosync.commands.syncing.from_api import ApiFetcher
from discosync.commands.syncing.from_file import FetchOptions, seller_of
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
from discosync.core.reporting.report import Problem, count_listings
from discosync.core.reporting.report_parts import ApiUse
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import session_over
from discosync.database.rows.store import LastApplied, load_last_applied, record_run, resolve_seller
from discosync.database.schema.state import SchemaState, require_usable
from discosync.discogs.inventory.export_job import ExportUnavailable
from discosync.discogs.inventory.spool import Spool
from discosync.errors import Mismatch, StorageFailed
from discosync.files.parsed import ParsedFile
from discosync.files.snapshot import open_snapshot
from discosync.runner import Run, RunRequest
from discosync.settings import Settings, current_environment, load_settings


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
    """Fetch by both methods, compare, record the comparison; raise `Mismatch` when they differ."""
    settings = load_settings(config=request.config, environ=current_environment())
    run.set_up_logging(settings.log_format)
    seller = seller_of(settings, FetchOptions(), named=request.seller)
    settings = settings.for_seller(seller)
    database = open_database(
        settings.database_url.reveal(), read_only=False, application="discosync compare"
    )
    run.seller, run.database = seller, database.shown
    # Two exports at once would answer each other with 409.
    seconds = request.lock_wait_seconds
    with hold_run_locks(run, database, str(run.seller), wait_seconds=seconds):
        comparer = _Comparer(run, settings, database)
        run.comparison = comparer.compare()
        mismatch = _mismatch(run.comparison)
        comparer.record(mismatch)
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


class _Comparer:
    """Takes both ways to one seller's inventory."""

    def __init__(self, run: Run, settings: Settings, database: Database) -> None:
        self._run, self._settings, self._database = run, settings, database
        self._state = require_usable(database)
        self._last = LastApplied()
        if self._state is SchemaState.CURRENT:
            with database.reading() as connection:
                run.seller = resolve_seller(session_over(connection), str(run.seller))
                self._last = load_last_applied(session_over(connection), run.seller)
        run.flags = flags_of_run(run, settings, database, self._state, asked={})
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
        if self._state is not SchemaState.CURRENT:
            text = "not recorded: the first sync makes the database"
            run.problems.append(Problem(code="not_recorded", text=text, is_warning=False))
            return
        try:
            with self._database.session(writes=True) as session:
                record_run(session, run.report(mismatch), is_sandbox=self._is_sandbox)
        except StorageFailed as exc:
            text = f"the comparison could not be recorded: {exc.message}"
            run.problems.append(Problem(code="not_recorded", text=text))

    def _fetch(self, source: Source, directory: Path) -> _Fetched:
        run, began = self._run, time.monotonic()
        directory.mkdir()
        fetcher = ApiFetcher(run, self._settings, FetchOptions(source=source), last=self._last)
        with closing(fetcher):
            with run.phase(source.value):
                fetched = fetcher.fetch(str(run.seller), Spool(directory))
                seconds, api = time.monotonic() - began, run.api_use()
            self._is_sandbox |= bool(fetched.is_sandbox)
            planned = plan_snapshot(
                run,
                self._database if self._state is SchemaState.CURRENT else None,
                fetched.snapshot,
                ParsedFile(directory.with_name("parsed")),
                last=self._last,
                count_again=lambda: fetcher.count_again(str(run.seller)),
            )
            self._add_use(run.api_use())
        run.source = run.source_reason = None
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
        self._last = replace(self._last, as_of=first.snapshot.as_of)
        try:
            return self._fetch(Source.EXPORT, directory)
        except ExportUnavailable as exc:
            text = f"no second export, so nothing can be explained by time: {exc.message}"
            self._run.problems.append(Problem(code="no_second_export", text=text))
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
