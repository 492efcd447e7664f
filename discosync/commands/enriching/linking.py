"""Commit links to artists and labels part by part, each part with the run's record."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from discosync.commands.steps.committing import as_committed, note_warnings, was_committed
from discosync.commands.steps.opening import Target
from discosync.core.catalog.credits import ReleaseCredits
from discosync.core.catalog.credits_by_name import credits_by_name
from discosync.core.catalog.enrichment import EnrichmentUse, Lookup, Outcome
from discosync.core.catalog.links import Links, links_of
from discosync.core.reporting.report import RunReport
from discosync.database.catalog.enrichment import (
    NamedListing,
    load_copied_links,
    record_lookups,
)
from discosync.database.catalog.entries import EntryTable, drop_unlinked, settle_entries
from discosync.database.catalog.links import (
    Owner,
    lock_listings,
    lock_listings_of,
    write_links,
)
from discosync.database.connection.commits import noticing_commits
from discosync.database.connection.failures import BUSY
from discosync.database.connection.session import Session
from discosync.database.rows.sellers import load_has_sandbox
from discosync.database.runs.records import finish_run, load_run_report, record_run
from discosync.errors import StorageFailed
from discosync.runner import Run
from discosync.runner.signals import Stage

_GIVES_WAY_FOR_SECONDS = 60.0
"""How long a part waits for rows that another program, such as a sync, holds."""

_ENDS_WITHIN_SECONDS = 3.0
"""The same for a run that was asked to end: somebody waits for that."""

_TRIES_AGAIN_AFTER_SECONDS = 0.5

Tally = Mapping[str, int]
"""Name of a count in `EnrichmentUse` → how much one part adds to it."""


class Linker:
    """Commits parts of one run; each part is a transaction, and so is the run's record in it.

    A process that is killed between two parts has done what its record says. `use` is what has
    been done so far.
    """

    def __init__(self, run: Run, target: Target, use: EnrichmentUse) -> None:
        self._run = run
        self._database = target.database
        self._seller = target.seller
        self._key: int | None = None
        self.use = use

    @property
    def has_committed(self) -> bool:
        """Whether anything has been written."""
        return self._key is not None

    def commit_lookups(self, lookups: list[Lookup]) -> None:
        """Link the listings of these releases, and note that they were looked up.

        The list is emptied by the commit: lookups that are still in it are not committed.
        """
        credits_by_release = {x.release_id: x.credits for x in lookups if x.credits is not None}
        outcomes = [lookup.outcome for lookup in lookups]

        def write(session: Session) -> Tally:
            owners = lock_listings_of(session, list(credits_by_release))
            wanted = {owner: credits_by_release[release] for owner, release in owners.items()}
            tally = _link(session, wanted, names_may_be_ids=False)
            record_lookups(session, lookups)
            return {
                **tally,
                "found": outcomes.count(Outcome.FOUND) + outcomes.count(Outcome.EMPTY),
                "not_found": outcomes.count(Outcome.NOT_FOUND),
                "unreadable": outcomes.count(Outcome.UNREADABLE),
            }

        if lookups:
            self._commit(write, then=lookups.clear)

    def commit_names(self, named: Sequence[NamedListing]) -> None:
        """Link listings to the names that they show."""
        by_id = {listing.listing_id: listing for listing in named}
        seller = self._seller

        def write(session: Session) -> Tally:
            wanted = {
                (seller, listing_id): _credits_of(by_id[listing_id])
                for listing_id in sorted(lock_listings(session, seller, list(by_id)))
            }
            return _link(session, wanted, names_may_be_ids=True)

        if by_id:
            self._commit(write)

    def commit_copies(self, listing_ids: Sequence[str]) -> None:
        """Link listings as another listing of the same release is linked."""
        seller = self._seller

        def write(session: Session) -> Tally:
            held = sorted(lock_listings(session, seller, listing_ids))
            return _write(session, load_copied_links(session, seller, held))

        if listing_ids:
            self._commit(write)

    def finish(self, use: EnrichmentUse) -> None:
        """Bring the run's record, if there is one, up to how the run ends."""
        self.use = self._run.findings.enrichment = use
        if self.has_committed:
            self._commit(lambda _session: {})

    def _commit(
        self, write: Callable[[Session], Tally], *, then: Callable[[], None] = lambda: None
    ) -> None:
        """Commit one part; for a while, wait and try again when another program holds its rows."""
        patience = _ENDS_WITHIN_SECONDS if self._is_ending else _GIVES_WAY_FOR_SECONDS
        gives_up_at = time.monotonic() + patience
        while True:
            try:
                return self._commit_once(write, then)
            except StorageFailed as exc:
                if exc.code != BUSY or time.monotonic() >= gives_up_at:
                    raise
            time.sleep(_TRIES_AGAIN_AFTER_SECONDS)

    @property
    def _is_ending(self) -> bool:
        return self._run.signals.stage is Stage.ENDING

    def _report_with(self, use: EnrichmentUse) -> RunReport:
        """Report what will be true once this part is committed."""
        report = self._run.report()
        return replace(report, findings=replace(report.findings, enrichment=use))

    def _commit_once(self, write: Callable[[Session], Tally], then: Callable[[], None]) -> None:
        run, key, use, report = self._run, self._key, self.use, self._run.report()
        # This ends last: no signal may come between a commit and the lines that note it.
        with ExitStack() as ending:
            commits, is_committing = ending.enter_context(noticing_commits()), False
            try:
                with self._database.session(writes=True) as session:
                    session.give_way()
                    # The record comes with the first part: a run that links nothing leaves none.
                    if key is None:
                        is_sandbox = load_has_sandbox(session)
                        key = record_run(session, report, is_sandbox=is_sandbox)
                    use = self.use.plus(write(session))
                    report = self._report_with(use)
                    finish_run(session, key, report)
                    ending.enter_context(run.signals.committing_part())
                    is_committing = True
            except StorageFailed as exc:
                look = _shows(report)
                if not (is_committing and was_committed(run, self._database, look, exc)):
                    raise
            note_warnings(run, commits)
            report = as_committed(run, report)
            self._key, self.use, run.findings.enrichment, run.committed = key, use, use, report
            then()


def _shows(report: RunReport) -> Callable[[Session], bool]:
    """Return a check of whether the run's record in the database is this report.

    Each part writes the record anew. Its duration tells which part wrote it last.
    """
    wanted = report.to_json()["duration_seconds"]

    def look(session: Session) -> bool:
        recorded = load_run_report(session, report.run_id)
        return recorded is not None and bool(recorded["duration_seconds"] == wanted)

    return look


def _link(
    session: Session, wanted: Mapping[Owner, ReleaseCredits], *, names_may_be_ids: bool
) -> Tally:
    """Settle the artists and labels of these credits, then link the listings to them."""
    now = datetime.now(UTC)
    plans = [
        settle_entries(session, table, credits_, now=now, names_may_be_ids=names_may_be_ids)
        for table, credits_ in (
            (EntryTable.ARTISTS, [c for release in wanted.values() for c in release.artists]),
            (EntryTable.LABELS, [c for release in wanted.values() for c in release.labels]),
        )
    ]
    by_artist, by_label = (plan.uuid_by_key for plan in plans)
    links = {owner: links_of(release, by_artist, by_label) for owner, release in wanted.items()}
    return {
        **_write(session, links),
        "artists_added": len(plans[0].added),
        "labels_added": len(plans[1].added),
        "merged": sum(len(plan.merged) + len(plan.numbered) for plan in plans),
    }


def _write(session: Session, links: Mapping[Owner, Links]) -> Tally:
    written = write_links(session, links)
    # An artist or a label that no listing is linked to any more would stay for ever.
    drop_unlinked(session, EntryTable.ARTISTS, written.left_artists)
    drop_unlinked(session, EntryTable.LABELS, written.left_labels)
    return {"listings": written.listings}


def _credits_of(listing: NamedListing) -> ReleaseCredits:
    return credits_by_name(
        listing.release_id,
        artist_names=listing.artist_names,
        label_names=listing.label_names,
        catalog_number=listing.catalog_number,
    )
