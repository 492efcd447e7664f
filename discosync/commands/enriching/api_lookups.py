"""Look releases up in the API, while there is time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from types import TracebackType
from typing import Self

from discosync.commands.steps.cache_warning import warn_once
from discosync.core.catalog.enrichment import Lookup, Outcome
from discosync.core.flags import Flag
from discosync.core.reporting.findings import Problem
from discosync.discogs.cache.answer_cache import AnswerCache, open_cache
from discosync.discogs.catalog.releases import look_up_releases
from discosync.discogs.http.shared_limit import open_shared_limit
from discosync.discogs.http.transport import Transport
from discosync.errors import NotReady, TimeBudgetUsedUp
from discosync.runner import Run
from discosync.settings import Settings

_SPARE_SECONDS = 2.0
"""How much of the time budget is left for the last commit and the report."""


class ApiLookups:
    """The way to Discogs' releases for one run, through the cache and below the shared limit."""

    def __init__(self, run: Run, settings: Settings, *, max_requests: int | None) -> None:
        self._run = run
        self._settings = settings
        self._max_requests = max_requests
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # If one thing cannot be opened, this stack closes what was opened before it.
        with ExitStack() as stack:
            self._transport = transport = self._open(stack)
            self._stack = stack.pop_all()
        self._run.api_use = lambda: transport.use
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> Transport:
        settings, warn = self._settings, warn_once(self._run)
        limit = open_shared_limit(settings.cache, base_url=settings.api_url, warn=warn)
        transport = Transport(
            base_url=settings.api_url,
            token=None if settings.token is None else settings.token.reveal(),
            max_requests=self._max_requests,
            cache=self._open_cache(stack),
            shared_limit=stack.enter_context(closing(limit)),
        )
        return stack.enter_context(closing(transport))

    def _open_cache(self, stack: ExitStack) -> AnswerCache | None:
        """Open the cache; None if its flag is off or, with a warning, if it cannot be used."""
        if not self._run.findings.flags[Flag.USE_CACHE].value:
            return None
        cache = open_cache(self._settings.cache, warn_once(self._run))
        if cache is not None:
            stack.enter_context(cache)
            self._run.cache_use = lambda: cache.use
        return cache

    def lookups(
        self, wanted: Sequence[int], *, now: datetime, is_sandbox: bool
    ) -> Iterator[Lookup]:
        """Look releases up, show how far it is, and note what cannot be read.

        `is_sandbox` says whether the database's seller is made up. Raises what
        `look_up_releases` does, `TimeBudgetUsedUp`, and `NotReady` when the answers are real and
        the seller is not, or the reverse.
        """
        run = self._run
        run.progress.begin("looking up releases", len(wanted))
        lookups = look_up_releases(self._transport, wanted, now=now)
        while run.remaining_seconds() > _SPARE_SECONDS:
            lookup = next(lookups, None)
            if lookup is None:
                return
            if lookup.outcome is Outcome.UNREADABLE:
                text = f"release {lookup.release_id} cannot be read: {lookup.reason}"
                run.findings.problems.append(Problem(code="bad_release", text=text))
            # Made-up credits among a real shop's could never be told apart again.
            elif lookup.is_sandbox is not is_sandbox:
                raise self._mixed(is_sandbox=is_sandbox)
            run.progress.advance(1)
            yield lookup
        budget = run.request.time_budget_seconds
        raise TimeBudgetUsedUp(
            f"the time budget of {budget:g} seconds leaves no room for another release",
            hint="the next run goes on where this one stopped",
        )

    def _mixed(self, *, is_sandbox: bool) -> NotReady:
        inside, outside = ("made up", "real") if is_sandbox else ("real", "made up")
        return NotReady(
            f"the seller in {self._run.findings.database} is {inside}, the answers of "
            f"{self._settings.api_url} are {outside}: they must not mix",
            hint="nothing was changed; check DISCOGS_API_URL and DATABASE_URL",
            code="sandbox_mixed",
        )
