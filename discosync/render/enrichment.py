"""The lines of `enrich`: what it did, and how many listings are linked."""

from collections.abc import Iterator
from datetime import timedelta

from discosync.core.catalog.enrichment import Coverage, EnrichmentUse, LookupSource
from discosync.render.age import render_age
from discosync.render.size import render_size


def render_coverage(coverage: Coverage) -> str:
    """Say how many listings are linked, of how many."""
    linked, total = coverage.linked, coverage.total
    # Rounded down, so that 100% means all of them.
    share = f" ({int(1000 * linked / total) / 10}%)" if total else ""
    by_name = f", {coverage.by_name:,} of them by name only" if coverage.by_name else ""
    return f"{linked:,} of {total:,} listings{share}{by_name}"


def enrichment_lines(use: EnrichmentUse, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Return what a run did, or would do, as named lines."""
    if use.source is not LookupSource.NAMES:
        yield "releases", _releases(use, is_dry=is_dry)
    if is_dry and use.source is LookupSource.NAMES:
        yield "listings", f"{use.listings:,} to link by name"
    if not is_dry:
        yield "linked", f"{use.listings:,} listings in this run{_entries(use)}"
    yield "enriched", render_coverage(use.coverage)
    if use.dump is not None:
        dump = use.dump
        yield (
            "dump",
            (
                f"{dump.records:,} records, {render_size(dump.bytes)} of "
                f"{render_size(dump.total_bytes)} read, {dump.records_per_second:,.0f} records/s"
            ),
        )
    if use.remaining_requests:
        length = render_age(timedelta(seconds=use.remaining_seconds))
        what = "this takes" if is_dry else "the rest takes"
        yield "API", f"{what} {use.remaining_requests:,} requests, about {length}"


def _releases(use: EnrichmentUse, *, is_dry: bool) -> str:
    if is_dry:
        return f"{use.wanted:,} to look up"
    missing = f", {use.not_found:,} that Discogs does not have" if use.not_found else ""
    unread = f", {use.unreadable:,} that cannot be read" if use.unreadable else ""
    return f"{use.found:,} found of {use.wanted:,}{missing}{unread}"


def _entries(use: EnrichmentUse) -> str:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (use.artists_added, "new artists"),
            (use.labels_added, "new labels"),
            (use.merged, "names that got their Discogs id"),
        )
        if count
    ]
    return f"; {', '.join(parts)}" if parts else ""
