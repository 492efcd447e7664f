"""How things stand, in words: the lines of `status`, the rows of `runs`."""

from collections.abc import Iterator, Sequence

from discosync.core.reporting.past_runs import RunLine
from discosync.core.reporting.status import Status
from discosync.render.age import render_age
from discosync.render.diff import shorten
from discosync.render.enrichment import render_coverage
from discosync.render.plots import render_sparkline

RUN_COLUMNS = ("ended", "started (UTC)", "command", "seller", "seconds", "calls", "changes", "run")


def status_lines(status: Status) -> Iterator[tuple[str, str]]:
    """Give the status, as named lines."""
    yield "database", status.database
    last = status.last_success
    if last is None or status.success_age is None:
        yield "last sync", "never"
    else:
        warned = ", with warnings" if last.exit_code else ""
        yield "last sync", f"{render_age(status.success_age)} ago{warned} ({last.run_id})"
        yield "inventory", _age(status)
    yield "for sale", f"{status.counts.active:,}"
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in status.counts.inactive_by_reason.items())
    yield "inactive", f"{status.counts.inactive:,}" + (f" ({reasons})" if reasons else "")
    yield "enriched", render_coverage(status.coverage)
    if status.cache_hit_rate is not None:
        yield "cache", f"{100 * status.cache_hit_rate:.0f}% of what the last enrichment asked it"
    yield "purge", _purge(status)
    yield "flags", ", ".join(f"{flag} {'on' if on else 'off'}" for flag, on in status.flags.items())
    yield from trend_lines(status.runs)


def _age(status: Status) -> str:
    if status.inventory_age is None:
        return "nobody knows how old: it came from a file without Discogs' own name"
    limit = "more than the six hours that Discogs allows" if status.is_too_old_to_show else "fresh"
    return f"{render_age(status.inventory_age)} old: {limit}"


def _purge(status: Status) -> str:
    rule = f"gone for {status.retention_days} days"
    if status.purge.due:
        return f"{status.purge.due:,} listings {rule}: discosync purge-inactive"
    if status.next_purge_at is None:
        return f"nothing to come ({rule})"
    return f"nothing before {status.next_purge_at:%Y-%m-%d} ({rule})"


def trend_lines(runs: Sequence[RunLine]) -> Iterator[tuple[str, str]]:
    """Draw how the last runs went, oldest first."""
    syncs = [run for run in reversed(runs) if run.command == "sync"]
    if len(syncs) < 2:
        return
    for name, values, unit in (
        ("seconds", [run.duration_seconds for run in syncs], "s"),
        ("calls", [float(run.requests) for run in syncs], ""),
        ("changes", [float(run.change_count) for run in syncs], ""),
    ):
        newest = f"{values[-1]:,.1f} {unit}" if unit else f"{values[-1]:,.0f}"
        yield name, f"{render_sparkline(values)} {newest} (last {len(syncs)} syncs)"
    failed = sum(run.exit_code not in {0, 3} for run in syncs)
    if failed:
        yield "failed", f"{failed} of the last {len(syncs)} syncs; `discosync runs` names them"


def run_row(run: RunLine) -> tuple[str, ...]:
    """Give a past run's line."""
    changes = ", ".join(f"{n:,} {kind}" for kind, n in run.changes.items() if n)
    return (
        f"{run.exit_code} {run.status}",
        f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        run.command,
        run.seller,
        f"{run.duration_seconds:.1f}",
        f"{run.requests:,}",
        changes or shorten(run.error) or "–",
        run.run_id,
    )
