"""Who keeps whom out."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from discosync.commands.steps.locking import hold_enrich_locks, hold_run_locks
from discosync.core.progress import NoProgress
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from discosync.errors import Locked
from discosync.runner import Run, RunRequest


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Give a database that is about to be written."""
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    return open_database(address, read_only=False, application="test")


def _run(command: str) -> Run:
    return Run(request=RunRequest(command=command), progress=NoProgress())


def _migration(database: Database) -> AbstractContextManager[None]:
    run = _run("db upgrade")
    holder = Holder(command="discosync db upgrade", run_id=run.run_id, started_at=run.started_at)
    return hold_lock(database, MAINTENANCE_LOCK, holder)


def test_two_runs_of_one_seller_exclude_each_other(database: Database) -> None:
    """The second run of a seller is told which command has the lock."""
    with (
        hold_run_locks(_run("sync"), database, "shop"),
        pytest.raises(Locked, match="discosync sync"),
        hold_run_locks(_run("restore"), database, "shop"),
    ):
        pass


def test_runs_of_two_sellers_go_on_side_by_side(database: Database) -> None:
    """Sellers in one database do not wait for each other."""
    with (
        hold_run_locks(_run("sync"), database, "one"),
        hold_run_locks(_run("sync"), database, "two"),
    ):
        pass


def test_sync_goes_on_while_another_run_enriches(database: Database) -> None:
    """An enrichment may last for hours and keeps only other enrichments out."""
    with hold_enrich_locks(_run("enrich"), database):
        with hold_run_locks(_run("sync"), database, "shop"):
            pass
        with pytest.raises(Locked), hold_enrich_locks(_run("enrich"), database):
            pass


def test_migration_and_run_exclude_each_other(database: Database) -> None:
    """No run begins during a migration, and no migration during a run."""
    with _migration(database), pytest.raises(Locked):  # noqa: SIM117 - which one raises is the point
        with hold_run_locks(_run("sync"), database, "shop"):
            pass
    with hold_run_locks(_run("sync"), database, "shop"), pytest.raises(Locked):  # noqa: SIM117
        with _migration(database):
            pass


def test_locks_are_given_back_after_an_error(database: Database) -> None:
    """A run that failed keeps nobody out."""
    with pytest.raises(ZeroDivisionError), hold_run_locks(_run("sync"), database, "shop"):
        raise ZeroDivisionError

    with hold_run_locks(_run("sync"), database, "shop"):
        pass
