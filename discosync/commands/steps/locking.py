"""The locks that keep two writers of one seller apart, and every writer from a migration."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from discosync.database.connection.engine import Database
from discosync.database.connection.lock import ENRICH_LOCK, MAINTENANCE_LOCK, Holder, hold_lock
from discosync.runner import Run


def hold_enrich_locks(
    run: Run, database: Database, *, wait_seconds: float = 0.0
) -> AbstractContextManager[None]:
    """Keep other enrichments and migrations out; syncs of any seller go on."""
    return hold_run_locks(run, database, ENRICH_LOCK, wait_seconds=wait_seconds)


@contextmanager
def hold_run_locks(
    run: Run, database: Database, seller: str, *, wait_seconds: float = 0.0
) -> Iterator[None]:
    """Hold a seller's lock, and keep migrations out; raise `Locked` naming who has it."""
    holder = Holder(
        command=f"discosync {run.request.command}", run_id=run.run_id, started_at=run.started_at
    )
    # Runs share the maintenance lock; a migration holds it alone. Everybody takes it first, so that
    # two programs never wait for each other's locks.
    hold = partial(hold_lock, wait_seconds=wait_seconds, has_option=True)
    with hold(database, MAINTENANCE_LOCK, holder, is_shared=True), hold(database, seller, holder):
        yield
