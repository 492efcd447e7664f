"""`discosync status`: how fresh a seller's mirror is, what it holds, how its last runs went."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from discosync.commands.steps.opening import Opened, open_to_read
from discosync.commands.steps.run_reports import load_run_lines
from discosync.core.flags import FlagContext, resolve_flags
from discosync.core.reporting.status import Status
from discosync.database.catalog.enrichment import load_coverage
from discosync.database.flags.states import load_flag_states
from discosync.database.rows.counts import load_counts, load_purge_outlook
from discosync.database.runs.past_runs import (
    RunFilter,
    load_last_success,
)

_RUNS_SHOWN = 24
"""A day of hourly runs."""


def load_status(config: Path | None, *, seller: str | None, max_age: timedelta) -> Status:
    """Load how fresh a seller's mirror is, what it holds, and how its last runs went."""
    now = datetime.now(UTC)
    # A seller whose first sync has failed is not in the database, and is late all the same.
    with open_to_read(config, seller=seller, may_be_new=True) as target:
        session, days = target.session, target.settings.retention_days
        counts = load_counts(session, target.seller)
        wanted = RunFilter(seller=target.seller, command="sync", limit=_RUNS_SHOWN)
        return Status(
            now=now,
            seller=target.seller,
            database=target.database.shown,
            max_age=max_age,
            last_success=load_last_success(session, target.seller),
            counts=counts,
            coverage=load_coverage(session, target.seller),
            purge=load_purge_outlook(session, target.seller, now - timedelta(days=days)),
            retention_days=days,
            runs=load_run_lines(target.settings, target.database, target.session, wanted),
            flags=_flags(target, now),
            cache_hit_rate=_last_hit_rate(target),
        )


def _last_hit_rate(target: Opened) -> float | None:
    """Return the cache's hit rate in the last enrichment that asked it; None without one."""
    wanted = RunFilter(seller=target.seller, command="enrich", limit=_RUNS_SHOWN)
    runs = load_run_lines(target.settings, target.database, target.session, wanted)
    rates = (run.cache_hit_rate for run in runs)
    return next((rate for rate in rates if rate is not None), None)


def _flags(target: Opened, now: datetime) -> dict[str, bool]:
    states = load_flag_states(target.session)
    context = FlagContext(seller=target.seller, now=now)
    values = resolve_flags(target.settings.flags, states, context, asked={})
    return {flag.value: value.value for flag, value in values.items()}
