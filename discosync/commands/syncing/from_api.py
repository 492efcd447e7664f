"""Fetch the inventory from Discogs: by export or by pages, or by pages when an export fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from discosync.commands.steps.cache_warning import warn_once
from discosync.commands.syncing.fetching import Ask, Fallback, Fetched, FetchOptions
from discosync.commands.syncing.mirror import Mirror
from discosync.core.flags import Flag
from discosync.core.inventory.clocks import MAX_BEHIND, describe_clock, is_off
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.inventory.source_choice import SourceChoice, choose_source
from discosync.core.reporting.findings import Problem
from discosync.discogs.http.shared_limit import open_shared_limit
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export import ExportRequest, fetch_export
from discosync.discogs.inventory.export_job import ExportUnavailable
from discosync.discogs.inventory.identity import fetch_username
from discosync.discogs.inventory.lookups import LOOKUP_PATIENCE, look_up_listing
from discosync.discogs.inventory.pages import (
    FirstPage,
    PagesRequest,
    fetch_first_page,
    fetch_pages,
)
from discosync.discogs.inventory.spool import Spool
from discosync.errors import AuthRefused, BadData, NotReady, SourceUnavailable
from discosync.runner import Run
from discosync.settings import TOKEN_PAGE

_EXPORT_DEADLINE_SECONDS = 20 * 60.0
"""How long to wait for an export before it counts as unavailable."""

_log = logging.getLogger(__name__)


class ApiFetcher:
    """Brings one seller's inventory onto the disk."""

    def __init__(self, run: Run, mirror: Mirror, options: FetchOptions) -> None:
        self._run = run
        self._settings = settings = mirror.settings
        self._seller = mirror.seller
        self._last = mirror.last
        self._options = options
        token = None if options.public or settings.token is None else settings.token.reveal()
        self._shared_limit = open_shared_limit(
            settings.cache, base_url=settings.api_url, warn=warn_once(run)
        )
        self._transport = Transport(
            base_url=settings.api_url, token=token, shared_limit=self._shared_limit
        )
        run.api_use = lambda: self._transport.use

    def fetch(self, spool: Spool) -> Fetched:
        """Fetch from the source that the options, the flag and the number of listings decide."""
        # Before anything is fetched: another seller's token shows only the public part.
        if not self._options.public:
            self.check_identity()
        first = fetch_first_page(self._transport, self._seller)
        self._check_clock()
        choice = self._choose(first)
        self._take(choice)
        return self._finished(self._fetch_by(choice.source, first, spool), first)

    @property
    def fallback(self) -> Fallback | None:
        """The pages, if the flag USE_CSV_EXPORT chose the export; None if an option did."""
        is_by_flag = self._options.source is None
        is_export = self._run.findings.source == Source.EXPORT.value
        return self._fetch_pages_instead if is_by_flag and is_export else None

    def _fetch_pages_instead(self, spool: Spool, reason: str) -> Fetched:
        first = self._fall_back(reason)
        return self._finished(self._walk(first, spool), first)

    @contextmanager
    def asking(self, seconds: float) -> Iterator[Ask]:
        """Give a way to ask for single listings, for at most so many seconds."""
        with self._transport.bounded(seconds, LOOKUP_PATIENCE):
            yield partial(look_up_listing, self._transport, seller=self._seller)

    def _count_again(self) -> int:
        # The shop may have sold something between the first count and the end of the fetch.
        try:
            return fetch_first_page(self._transport, self._seller, again=True).page.items
        except BadData as exc:
            # It is the witness that cannot be read, and no fault of the inventory.
            raise SourceUnavailable(exc.message, hint=exc.hint) from exc

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._shared_limit.close()

    def check_identity(self) -> None:
        """Raise `NotReady` without a token, `AuthRefused` when it is not this seller's."""
        if self._settings.token is None:
            raise NotReady(
                "there is no Discogs token",
                hint=f"set {self._settings.token_variable}; {TOKEN_PAGE} makes one"
                + self._or_in_public(" (or look at the public part of a shop with --public)"),
                code="no_token",
            )
        username = fetch_username(self._transport)
        if username.casefold() != self._seller.casefold():
            raise AuthRefused(
                f"the token belongs to {username!r}, the seller is {self._seller!r}: Discogs would "
                "hide drafts, sold records and private fields",
                hint="set the token of that seller"
                + self._or_in_public(", or look at the public part with --public"),
                code="not_this_seller",
            )

    @property
    def _clock_offset(self) -> timedelta:
        return self._transport.clock_offset or timedelta()

    def _check_clock(self) -> None:
        """Raise `NotReady` where every inventory would be dated in the future."""
        if self._clock_offset > MAX_BEHIND:
            raise NotReady(
                describe_clock(self._clock_offset),
                hint="nothing was changed; every run ends like this until the clock is right",
                code="clock",
            )

    def _warn_of_clock(self, offset: timedelta) -> None:
        problems = self._run.findings.problems
        # A comparison fetches several times; it is one clock.
        if all(problem.code != "clock" for problem in problems):
            problems.append(Problem(code="clock", text=describe_clock(offset)))

    def _or_in_public(self, words: str) -> str:
        """Offer the public view only where there is one: `compare` has none."""
        return words if self._run.request.command == "sync" else ""

    def _choose(self, first: FirstPage) -> SourceChoice:
        if self._options.public:
            return SourceChoice(source=Source.PAGES, reason="--public shows pages only")
        if self._options.source is not None:
            wanted = self._options.source
            return SourceChoice(source=wanted, reason=f"--source {wanted.value}")
        flag = self._run.findings.flags[Flag.USE_CSV_EXPORT]
        return choose_source(first.page.items, use_csv_export=flag)

    def _take(self, choice: SourceChoice) -> None:
        found = self._run.findings
        found.source, found.source_reason = choice.source.value, choice.reason
        _log.info("source %s: %s", choice.source.value, choice.reason)

    def _fetch_by(self, source: Source, first: FirstPage, spool: Spool) -> Snapshot:
        if source is Source.EXPORT:
            try:
                return fetch_export(self._transport, self._export_request(first, spool))
            except ExportUnavailable as exc:
                if self._options.source is not None:  # taken literally
                    raise
                first = self._fall_back(exc.message)
        return self._walk(first, spool)

    def _walk(self, first: FirstPage, spool: Spool) -> Snapshot:
        request = PagesRequest(
            seller=self._seller,
            first=first,
            spool=spool,
            is_owner=not self._options.public,
            progress=self._run.progress,
        )
        return fetch_pages(self._transport, request)

    def _finished(self, snapshot: Snapshot, first: FirstPage) -> Fetched:
        offset = self._clock_offset
        if is_off(offset):
            self._warn_of_clock(offset)
        return Fetched(
            snapshot=replace(
                snapshot, currency=self._currency(snapshot.currency), clock_offset=offset
            ),
            is_sandbox=first.is_sandbox,
            count_again=self._count_again,
            asking=self.asking,
        )

    def _export_request(self, first: FirstPage, spool: Spool) -> ExportRequest:
        deadline_seconds = _EXPORT_DEADLINE_SECONDS
        if self._options.source is None:  # leave time for the pages
            deadline_seconds = min(deadline_seconds, self._run.remaining_seconds() / 2)
        return ExportRequest(
            seller=self._seller,
            first=first,
            spool=spool,
            progress=self._run.progress,
            deadline_seconds=deadline_seconds,
            newer_than=self._last.as_of,
            usual_seconds=self._last.ready_seconds,
        )

    def _fall_back(self, reason: str) -> FirstPage:
        self._run.findings.fallback_from = Source.EXPORT.value
        self._take(SourceChoice(source=Source.PAGES, reason=f"no export: {reason}"))
        problem = Problem(code="fallback", text=f"fell back to pages: {reason}")
        self._run.findings.problems.append(problem)
        # What is for sale may have changed since the first page was fetched.
        return fetch_first_page(self._transport, self._seller, again=True)

    def _currency(self, shown: str | None) -> str | None:
        wanted = self._settings.currency
        # Every price would be stored as an amount of another currency.
        if wanted is not None and shown is not None and wanted != shown:
            raise NotReady(
                f"DISCOGS_CURRENCY says {wanted}, but Discogs shows this seller's prices in "
                f"{shown}",
                hint="correct the setting, or leave it out: it is learnt from Discogs",
                code="wrong_currency",
            )
        return wanted or shown or self._last.currency
