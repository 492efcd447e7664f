"""One enrichment: what there is to do, and doing it part by part."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from discosync.commands.enriching.api_lookups import ApiLookups
from discosync.commands.enriching.dump_lookups import DumpLookups
from discosync.commands.enriching.linking import Linker
from discosync.commands.enriching.request import EnrichRequest
from discosync.commands.steps.opening import Target
from discosync.core.catalog.enrichment import (
    LISTINGS_PER_COMMIT,
    REFRESH_AFTER,
    EnrichmentUse,
    Lookup,
    LookupSource,
    Outcome,
    Workload,
    seconds_for,
)
from discosync.core.reporting.findings import Problem
from discosync.database.catalog.enrichment import (
    WorkFilter,
    load_coverage,
    load_named,
    load_workload,
)
from discosync.database.connection.session import Session
from discosync.database.rows.sellers import load_has_sandbox
from discosync.errors import (
    DiscosyncError,
    RequestsUsedUp,
    StorageFailed,
    TimeBudgetUsedUp,
)
from discosync.runner import Run, StopRun

T = TypeVar("T")


class EnrichTask:
    """One enrichment of one seller."""

    def __init__(self, run: Run, request: EnrichRequest, target: Target) -> None:
        self._run = run
        self._request = request
        self._settings = target.settings
        self._database = target.database
        self._seller = target.seller
        self._workload = Workload()
        self._is_sandbox = False
        self._linker = Linker(run, target, EnrichmentUse(source=request.source))

    def plan(self) -> None:
        """See what there is to do, and what it costs."""
        with self._run.phase("plan"), self._database.session() as session:
            self._workload = load_workload(session, self._filter())
            self._is_sandbox = load_has_sandbox(session)
            named = self._count_named(session) if self._run.request.dry_run else 0
        wanted = [] if self._request.names_only else self._workload.wanted
        self._linker.use = replace(self._linker.use, wanted=len(wanted), listings=named)
        self._run.findings.enrichment = self._outlook()
        self._run.findings.has_changes = bool(wanted or self._workload.copies)

    def _count_named(self, session: Session) -> int:
        """Count what would be linked by name; a dry run says it, a real one finds out."""
        if not self._request.names_only:
            return 0
        return sum(1 for _ in load_named(session, self._seller, limit=self._request.limit))

    def _filter(self) -> WorkFilter:
        request, now = self._request, self._run.started_at
        limit = request.limit
        if limit is None and not request.is_all and request.source is LookupSource.API:
            limit = self._settings.enrichment_batch_size
        age = REFRESH_AFTER if request.refresh is None else request.refresh
        return WorkFilter(
            seller=self._seller,
            now=now,
            limit=limit,
            # A dump is older than the API's answers: it replaces them only when asked to.
            refresh_before=now - age
            if request.source is LookupSource.API or request.refresh is not None
            else None,
            refreshes_missing=request.refresh is not None,
        )

    def work(self) -> None:
        """Link, and write into the run's record how it ended."""
        ended_by: DiscosyncError | None = None
        with self._run.phase("link"):
            try:
                self._link()
            except StopRun as stop:
                ended_by = stop.error
            except DiscosyncError as exc:
                ended_by = exc
        # A run that has linked something has done part of its work: that is no failure.
        if ended_by is not None and not self._linker.has_committed:
            raise ended_by
        if ended_by is not None:
            self._note_end(ended_by)
        self._finish()

    def _finish(self) -> None:
        """Complete the run's record; the parts that are committed stay, even when that fails."""
        try:
            self._linker.finish(self._outlook())
        except StorageFailed as exc:
            if not self._linker.has_committed:
                raise
            text = f"the links are kept, but the run's record is not complete: {exc.message}"
            self._run.findings.problems.append(Problem(code="not_recorded", text=text))
        if self._linker.has_committed:
            self._run.committed = self._run.report()

    def _note_end(self, error: DiscosyncError) -> None:
        """Say what ended a run that has linked something; a limit that was set is no warning."""
        is_planned = isinstance(error, RequestsUsedUp | TimeBudgetUsedUp)
        text = f"{error.message}; the links made until then are kept, and the next run goes on"
        self._run.findings.problems.append(
            Problem(code=error.code, text=text, is_warning=not is_planned)
        )

    def _outlook(self) -> EnrichmentUse:
        """Return how many of the seller's listings are linked, and how long the rest takes."""
        with self._database.session() as session:
            coverage = load_coverage(session, self._seller)
        requests = coverage.waiting
        if self._run.request.dry_run:
            is_api = self._request.source is LookupSource.API
            requests = self._linker.use.wanted if is_api else 0
        has_token = self._settings.token is not None
        return replace(
            self._linker.use,
            coverage=coverage,
            remaining_requests=requests,
            remaining_seconds=seconds_for(requests, has_token=has_token),
        )

    def _link(self) -> None:
        # Copies first: they need no request, and no dump.
        for copies in _chunked(self._workload.copies, LISTINGS_PER_COMMIT):
            self._linker.commit_copies(copies)
            self._run.signals.heed()
        if self._request.dump is not None:
            self._link_by_dump(self._request.dump)
        elif self._request.names_only:
            self._link_by_name(outcome=None)
        else:
            self._link_by_api()
            # Discogs no longer has these releases: the listings' own names are all there is.
            self._link_by_name(outcome=Outcome.NOT_FOUND)

    def _link_by_dump(self, path: Path) -> None:
        dump = DumpLookups(self._run, path, frozenset(self._workload.wanted))
        try:
            self._commit_all(dump.lookups(now=datetime.now(UTC)), LISTINGS_PER_COMMIT)
        finally:
            self._linker.use = replace(self._linker.use, dump=dump.use)

    def _link_by_name(self, *, outcome: Outcome | None) -> None:
        limit = self._request.limit if self._request.names_only else None
        with self._database.session() as session:
            named = list(load_named(session, self._seller, limit=limit, outcome=outcome))
        self._run.progress.begin("linking by name", len(named))
        for part in _chunked(named, LISTINGS_PER_COMMIT):
            self._linker.commit_names(part)
            self._run.signals.heed()
            self._run.progress.advance(len(part))

    def _link_by_api(self) -> None:
        batch_size = self._settings.enrichment_batch_size
        wanted, limit = self._workload.wanted, self._request.max_requests
        with ApiLookups(self._run, self._settings, max_requests=limit) as api:
            lookups = api.lookups(wanted, now=datetime.now(UTC), is_sandbox=self._is_sandbox)
            self._commit_all(lookups, batch_size)

    def _commit_all(self, lookups: Iterator[Lookup], batch_size: int) -> None:
        """Commit batch by batch; the last batch is committed too when something ends the run."""
        batch: list[Lookup] = []
        try:
            for lookup in lookups:
                batch.append(lookup)
                if len(batch) >= batch_size:
                    self._linker.commit_lookups(batch)
                    self._run.signals.heed()
            self._linker.commit_lookups(batch)
        except StorageFailed:  # the database refused this very batch: it would do so again
            raise
        except (DiscosyncError, StopRun):
            # A signal may also have interrupted a commit: the database has rolled that back.
            with suppress(StorageFailed):
                self._linker.commit_lookups(batch)
            raise


def _chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
