"""How a run ended: its headline and its summary, as lines."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from discosync.core.reporting.report import RunReport
from discosync.core.reporting.report_parts import ArchiveUse
from discosync.errors import ExitStatus
from discosync.render.cells import MAX_SHOWN
from discosync.render.diff import diff_rows, render_counts
from discosync.render.size import render_count, render_size

if TYPE_CHECKING:
    from discosync.core.planning.absence import AbsenceCounts


def headline(report: RunReport) -> str:
    """Render in one line which run this was and how it ended."""
    return f"discosync {report.command} · {report.findings.seller} · {_outcome(report)}"


def _outcome(report: RunReport) -> str:
    what = {
        ExitStatus.OK: "ok",
        ExitStatus.OK_WITH_WARNINGS: "ok, with warnings",
        ExitStatus.CHANGES: "changes",
    }.get(report.exit_status, report.status.value)
    dry = " (dry run: nothing was written)" if report.dry_run else ""
    return f"{what} in {report.duration_seconds:.1f} s{dry}"


def summary_lines(report: RunReport) -> Iterator[tuple[str, str]]:
    """Return the summary as named lines."""
    found, api = report.findings, report.api
    counts = found.listings
    yield from _inventory_lines(report)
    for row in diff_rows(found.highlights):
        yield "", f"{row.kind}: {row.heading} ({row.what})"
    changed = counts.added + counts.updated + counts.removed + counts.reactivated
    changed += counts.corrected
    if found.highlights and (rest := changed - len(found.highlights)):
        yield "", f"… and {rest:,} more; {_way_to_all(report, changed)}"
    if counts.quarantined:
        yield "set aside", f"{counts.quarantined:,} records that cannot be read"
    if found.source is not None:
        yield "source", f"{found.source} ({found.source_reason})"
    if api.requests:
        waited = f", waited {api.throttled_seconds:.0f} s" if api.throttled_seconds >= 1 else ""
        yield "Discogs", f"{api.requests:,} requests, {render_size(api.bytes)}{waited}"
    if (rate := report.cache.hit_rate) is not None:
        asked = report.cache.hits + report.cache.misses
        yield "cache", f"{report.cache.hits:,} of {asked:,} answers ({100 * rate:.0f}%)"
    if found.snapshot is not None and found.snapshot.as_of is not None:
        yield "as of", f"{found.snapshot.as_of:%Y-%m-%d %H:%M:%S} UTC"
    if found.database:
        yield "database", found.database
    if found.advice:
        yield "next", found.advice


def _way_to_all(report: RunReport, count: int) -> str:
    """Say what to type to see every change.

    A dry run can be repeated. Once a run is applied, another dry run finds no changes, so they are
    shown from the history.
    """
    if report.dry_run and report.command != "sync":
        return "`--json` shows them"
    if report.dry_run:
        return f"`--diff {'json' if count > MAX_SHOWN else 'table'}` shows them"
    found = report.findings
    variable = f"{found.database_variable} " if found.database_variable else ""
    return f"`{variable}discosync runs {report.run_id}{found.config_option}` shows them"


def _inventory_lines(report: RunReport) -> Iterator[tuple[str, str]]:
    found, counts = report.findings, report.findings.listings
    if found.archive is not None:
        yield from _archive_lines(found.archive, report)
        return
    if found.enrichment is not None:
        from discosync.render.enrichment import (  # noqa: PLC0415 - enrichments only
            enrichment_lines,
        )

        yield from enrichment_lines(found.enrichment, is_dry=report.dry_run)
        return
    if report.command == "enrich":
        return
    if found.source is not None:
        yield "inventory", f"{counts.seen:,} listings seen, {counts.active:,} for sale"
    if found.absence is not None:
        yield "missing", _render_absence(found.absence)
    yield "changes", render_counts(report)


def _render_absence(absence: "AbsenceCounts") -> str:
    """Say what Discogs answered for the listings that the inventory lacks."""
    if not absence.asked:
        return f"{render_count(absence.missing, 'listing')}; Discogs was not asked for any"
    answers = {
        "gone": absence.gone,
        "sold or withdrawn": absence.not_for_sale,
        "still for sale": absence.for_sale,
        "not proven": absence.unproven,
        "to be asked for": absence.waiting,
    }
    said = ", ".join(f"{count:,} {answer}" for answer, count in answers.items() if count)
    whose = f"{absence.asked:,} asked for as a sample" if absence.sampled else "asked for"
    return f"{render_count(absence.missing, 'listing')}, {whose}: {said}"


def _archive_lines(archive: ArchiveUse, report: RunReport) -> Iterator[tuple[str, str]]:
    is_purge = report.command == "purge-inactive"
    done = "purged" if is_purge else "restored"
    done = f"would be {done}" if report.dry_run else done
    yield "listings", f"{archive.listings:,} {done}"
    if archive.removed_before is not None:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in archive.by_reason.items())
        before = f"{archive.removed_before:%Y-%m-%d %H:%M} UTC"
        yield "gone", f"before {before}" + (f": {reasons}" if reasons else "")
    if archive.file is not None:
        size = render_size(archive.bytes)
        yield "archive", f"{archive.file} ({size}, {archive.changes:,} changes of history)"
        yield "SHA-256", str(archive.sha256)
