"""One run at a time: who has a lock keeps others out, and is named."""

from datetime import UTC, datetime

import pytest

from discosync.database.connection.engine import Database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock, slug_of
from discosync.errors import Locked

HOLDER = Holder(
    command="discosync sync", run_id="r1", started_at=datetime(2026, 3, 1, 12, tzinfo=UTC)
)


def test_second_run_of_a_seller_is_refused_in_any_spelling(filled: Database) -> None:
    """The refusal names the process that holds it; another seller is free meanwhile."""
    with hold_lock(filled, "Velvet", HOLDER):
        with (
            pytest.raises(Locked, match="for this seller: process"),
            hold_lock(filled, "vELVET", HOLDER),
        ):
            pass
        with hold_lock(filled, "other", HOLDER):
            pass
    with hold_lock(filled, "velvet", HOLDER):
        pass


def test_shared_lock_keeps_out_only_who_wants_it_alone(filled: Database) -> None:
    """Runs share the maintenance lock; a migration waits for all of them."""
    with hold_lock(filled, MAINTENANCE_LOCK, HOLDER, is_shared=True):
        with hold_lock(filled, MAINTENANCE_LOCK, HOLDER, is_shared=True):
            pass
        with (
            pytest.raises(Locked, match="in this database"),
            hold_lock(filled, MAINTENANCE_LOCK, HOLDER),
        ):
            pass


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", "", "é" * 300, "."])
def test_lock_file_has_a_plain_name(key: str) -> None:
    """Whatever a seller is called: letters, digits and hyphens, short, and no path."""
    slug = slug_of(key)

    assert "/" not in slug
    assert not slug.startswith(".")
    assert len(slug) < 80


def test_names_that_differ_have_locks_that_differ() -> None:
    """What a file name cannot show is told apart by the digest; letter case makes no difference."""
    assert slug_of("a.b") != slug_of("a_b")
    assert slug_of("Velvet") == slug_of("vELVET")
