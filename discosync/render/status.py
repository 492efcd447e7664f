"""The lines of `status`: how fresh the mirror is, and what it holds."""

from collections.abc import Iterator

from discosync.core.reporting.status import Status
from discosync.render.age import render_age
from discosync.render.enrichment import render_coverage
from discosync.render.past_runs import trend_lines


def status_lines(status: Status) -> Iterator[tuple[str, str]]:
    """Return the status as named lines."""
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
        yield "cache", f"{100 * status.cache_hit_rate:.0f}% of the answers of the last enrichment"
    yield "purge", _purge(status)
    yield "flags", ", ".join(f"{flag} {'on' if on else 'off'}" for flag, on in status.flags.items())
    yield from trend_lines(status.runs)


def _age(status: Status) -> str:
    if status.inventory_age is None:
        return "of unknown age: the file did not have the name that Discogs gave it"
    limit = "more than the six hours that Discogs allows" if status.is_too_old_to_show else "fresh"
    return f"{render_age(status.inventory_age)} old: {limit}"


def _purge(status: Status) -> str:
    rule = f"inactive for {status.retention_days} days"
    if status.purge.due:
        return f"{status.purge.due:,} listings {rule}: discosync purge-inactive"
    if status.next_purge_at is None:
        return f"nothing will be due ({rule})"
    return f"nothing due before {status.next_purge_at:%Y-%m-%d} ({rule})"
