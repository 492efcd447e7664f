"""`discosync compare`: fetch an inventory by export and by pages, and show where they differ.

No listing is written, whatever the two show.
"""

from dataclasses import dataclass
from pathlib import Path

from discosync.commands.comparing.both_ways import BothWays
from discosync.commands.steps.run_flags import flags_of_run
from discosync.commands.syncing.mirror import open_mirror, seller_of
from discosync.core.reporting.comparison import (
    Comparison,
)
from discosync.database.connection.engine import open_database
from discosync.errors import Mismatch
from discosync.runner import Run, RunRequest
from discosync.settings import current_environment, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """A whole `compare`: whose inventory, with which settings."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    lock_wait_seconds: float = 0.0


def compare_seller(run: Run, request: CompareRequest) -> None:
    """Fetch by both methods, compare, record the comparison; raise `Mismatch` when they differ.

    1. Find out who is meant; lock the seller.
    2. Fetch the export and the pages, and explain where they differ.
    3. Record the comparison.
    """
    settings = load_settings(config=request.config, environ=current_environment())
    run.set_up_logging(settings.log_format)
    seller = seller_of(settings, named=request.seller)
    settings = settings.for_seller(seller)
    database = open_database(
        settings.database_url.reveal(), read_only=False, application="discosync compare"
    )
    # The lock also keeps two exports apart: Discogs would answer the second one with 409.
    wait_seconds = request.lock_wait_seconds
    with open_mirror(run, settings, database, seller, wait_seconds=wait_seconds) as mirror:
        run.findings.flags = flags_of_run(run, mirror, mirror.state, asked={})
        comparing = BothWays(run, mirror)
        run.findings.comparison = comparing.compare()
        mismatch = _mismatch(run.findings.comparison)
        comparing.record(mismatch)
    # Only now: a comparison that found a difference must be on record too.
    if mismatch is not None:
        raise mismatch


def _mismatch(comparison: Comparison) -> Mismatch | None:
    if not comparison.unexplained:
        return None
    first = comparison.unexplained[0]
    return Mismatch(
        f"export and pages differ in {len(comparison.unexplained):,} listings, and nothing "
        f"explains it; the first is {first.listing_id} ({first.heading})",
        hint="the inventory is as it was; compare again, and keep USE_CSV_EXPORT off until they "
        "agree: `discosync rollback-flag use-csv-export --reason …`",
    )
