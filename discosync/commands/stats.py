"""`discosync stats`: what sold, how fast, and for how much."""

from datetime import UTC, datetime
from pathlib import Path

from discosync.commands.steps.opening import open_to_read
from discosync.core.moments import parse_past_moment
from discosync.core.past.stats import Stats, compute_stats
from discosync.database.past.stats import load_purged_count, load_run_figures, load_stat_rows
from discosync.errors import StorageFailed, UsageFault
from discosync.files.writing import write_text
from discosync.render.stats_page import render_stats_page


def load_stats(config: Path | None, *, seller: str | None, since: str) -> Stats:
    """Compute every figure, from a moment or an age until now."""
    now = datetime.now(UTC)
    try:
        begin = parse_past_moment(since, now=now)
    except ValueError as exc:
        raise UsageFault(str(exc), code="bad_moment") from exc
    with open_to_read(config, seller=seller) as target:
        return compute_stats(
            target.seller,
            load_stat_rows(target.session, target.seller),
            load_run_figures(target.session, target.seller),
            since=begin,
            until=now,
            purged=load_purged_count(target.session, target.seller),
        )


def save_page(stats: Stats, path: Path) -> None:
    """Write the page, all of it or nothing; raise `StorageFailed` when the disk refuses."""
    try:
        write_text(render_stats_page(stats), path)
    except OSError as exc:
        raise StorageFailed(
            f"the page cannot be written to {path}: {exc.strerror or exc}",
            hint="free some space, or name another file",
            code="disk",
        ) from exc
