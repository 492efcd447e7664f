"""Fetch and plan; if an export turns out to be bad, do both once more with the pages."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from discosync.commands.steps.run_flags import roll_back_by_itself
from discosync.commands.syncing.fetching import Fallback, Fetched, Fetcher
from discosync.commands.syncing.from_file import FileFetcher
from discosync.commands.syncing.judging import SyncOptions, judge
from discosync.commands.syncing.mirror import Mirror
from discosync.commands.syncing.planning import Planned, plan_snapshot
from discosync.commands.syncing.proving import prove_absence
from discosync.commands.syncing.slow_check import SlowCheckOptions
from discosync.core.flags import Flag
from discosync.core.planning.drift import MASS_DRIFT
from discosync.core.planning.limits import CURRENCY_CHANGED, OLDER_SNAPSHOT
from discosync.core.planning.other_sellers import OTHER_SELLERS
from discosync.database.rows.sellers import load_has_real, load_has_sandbox
from discosync.database.runs.records import load_run_count
from discosync.database.schema.state import SchemaState
from discosync.discogs.inventory.spool import Spool
from discosync.errors import BadData, LimitRefused, NotReady, SourceUnavailable
from discosync.files.parsed_file import ParsedFile
from discosync.runner import Run


@dataclass(frozen=True, slots=True)
class Attempts:
    """The one or two attempts of a sync at a plan that no limit refuses."""

    run: Run
    mirror: Mirror
    options: SyncOptions
    spool: Spool

    def plan(self) -> tuple[Planned, bool]:
        """Return the plan, and whether the seller is made up.

        When the flag USE_CSV_EXPORT chose the export, and a limit refuses what the export shows,
        the flag is rolled back and the pages decide. Raises what the last attempt raises.
        """
        problems_before = len(self.run.findings.problems)
        with closing(self._fetcher()) as fetcher:
            try:
                return self._attempt(lambda: fetcher.fetch(self.spool))
            except (LimitRefused, BadData) as refused:
                fallback = fetcher.fallback if _is_snapshots_fault(refused) else None
                if fallback is None:
                    raise
                # They are problems of the snapshot that is thrown away.
                del self.run.findings.problems[problems_before:]
                return self._attempt_again(fallback, refused)

    def _fetcher(self) -> Fetcher:
        options = self.options.fetch
        if options.from_file is not None:
            return FileFetcher(self.run, self.mirror, options.from_file)
        from discosync.commands.syncing.from_api import ApiFetcher  # noqa: PLC0415 - a file needs no network

        return ApiFetcher(self.run, self.mirror, options)

    def _attempt_again(
        self, fallback: Fallback, refused: LimitRefused | BadData
    ) -> tuple[Planned, bool]:
        roll_back_by_itself(self.run, self.mirror.database, Flag.USE_CSV_EXPORT, refused.message)
        self.spool.clear()
        try:
            return self._attempt(lambda: fallback(self.spool, refused.message))
        except SourceUnavailable as unavailable:
            # What the export showed is still the reason why nothing was changed.
            refused.hint += f"; the pages could not be fetched either: {unavailable.message}"
            raise refused from unavailable

    def _attempt(self, fetch: Callable[[], Fetched]) -> tuple[Planned, bool]:
        run, mirror = self.run, self.mirror
        with run.phase("fetch"):
            fetched = fetch()
        run.findings.snapshot = fetched.snapshot
        is_sandbox = _check_sandbox(mirror, is_sandbox=fetched.is_sandbox)
        planned = plan_snapshot(
            run,
            mirror.filled_database,
            fetched,
            ParsedFile(self.spool.path("parsed")),
            last=mirror.last,
            slow_check=SlowCheckOptions(
                begins=mirror.last.slow_check, mends_mass=self.options.allowed.mass_change
            ),
        )
        judge(run, planned, self.options, mirror)
        if planned.changes.missing:
            planned = prove_absence(run, planned, fetched.asking, mirror, self.options)
        return planned, is_sandbox


def _is_snapshots_fault(refused: LimitRefused | BadData) -> bool:
    """Whether the pages may show something else, so that the flag is to blame.

    The moment of an inventory, the seller's currency and the ids of the listings are the same
    whatever way they come, and so are the rows that another program edited.
    """
    return refused.code not in {OLDER_SNAPSHOT, CURRENCY_CHANGED, MASS_DRIFT, OTHER_SELLERS}


def _check_sandbox(mirror: Mirror, *, is_sandbox: bool | None) -> bool:
    """Refuse to mix made-up and real sellers in one database; return whether this one is made up.

    A file does not say which it is: it counts as the seller that it is for.
    """
    # An empty database takes either; the first sync decides for all later ones.
    if mirror.state is SchemaState.EMPTY:
        return bool(is_sandbox)
    with mirror.database.session() as session:
        holds_sandbox = load_has_sandbox(session)
        holds_real = load_has_real(session)
        is_known = load_run_count(session, mirror.seller) > 0
    if is_sandbox is None:
        is_sandbox = holds_sandbox and is_known
    if (is_sandbox and holds_real) or (not is_sandbox and holds_sandbox):
        inside, outside = ("real", "sandbox") if is_sandbox else ("sandbox", "real")
        raise NotReady(
            f"{mirror.database.shown} holds a {inside} seller, this is a {outside} one: they must "
            "not mix",
            hint="name another database in DATABASE_URL",
            code="sandbox_mixed",
        )
    return is_sandbox
