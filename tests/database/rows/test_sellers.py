"""Which sellers the database holds, and how they are spelled."""

from collections.abc import Callable

from discosync.database.connection.engine import Database
from discosync.database.rows.sellers import (
    find_seller,
    load_has_real,
    load_has_sandbox,
    load_sellers,
    resolve_seller,
)


def test_seller_is_found_in_any_spelling(filled: Database, insert_run: Callable[..., None]) -> None:
    """Discogs ignores case in names: the spelling of the first run counts."""
    insert_run("a", seller="Velvet")

    with filled.session() as session:
        assert find_seller(session, "vELVET") == resolve_seller(session, "velvet") == "Velvet"
        assert find_seller(session, "velve") is None
        assert resolve_seller(session, "Other") == "Other"


def test_adopted_seller_is_found_before_the_first_run(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """An adopted database holds listings and no run yet."""
    insert_listing("1")

    with filled.session() as session:
        assert find_seller(session, "VELVET") == "velvet"
        assert (load_has_real(session), load_has_sandbox(session)) == (True, False)


def test_every_seller_with_listings_is_named_once(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """However many listings each has, in the order of their names."""
    for number, seller in enumerate(("velvet", "attic", "velvet", "zoo", "attic")):
        insert_listing(str(number), seller=seller)

    with filled.session() as session:
        assert load_sellers(session) == ["attic", "velvet", "zoo"]


def test_sandbox_is_told_from_a_real_seller(
    filled: Database, insert_run: Callable[..., None], insert_listing: Callable[..., None]
) -> None:
    """The listings of the sandbox's seller are no real ones."""
    insert_run("a", is_sandbox=True)
    insert_listing("1")

    with filled.session() as session:
        assert (load_has_real(session), load_has_sandbox(session)) == (False, True)
