"""What keeps an old shop's table from being adopted is named before anything is changed."""

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.adoption import find_obstacles
from tests.support.old_shop import make_old_shop, old_row
from tests.support.shop import make_shop


@pytest.fixture
def old_shop(database_url: str) -> Database:
    """An old shop's database of three listings."""
    make_old_shop(database_url, [old_row(listing) for listing in make_shop(3)])
    return open_database(database_url, read_only=False, application="tests")


def test_old_shop_has_no_obstacles(old_shop: Database) -> None:
    """As its own programs made it, it can be adopted."""
    assert find_obstacles(old_shop) == []


@pytest.mark.parametrize(
    ("statement", "obstacle"),
    [
        ("CREATE TABLE sync_runs (name TEXT)", "there is a table sync_runs already"),
        ("CREATE VIEW active_listings AS SELECT 1 AS one", "there is a view active_listings"),
        ("UPDATE listings SET listing_id = 'x' || id", "is no Discogs id"),
        ("ALTER TABLE listings RENAME COLUMN comments TO words", "lacks the columns comments"),
    ],
)
def test_obstacle_is_named(old_shop: Database, statement: str, obstacle: str) -> None:
    """A name that discosync needs is taken, a column is missing, or an id is none."""
    with old_shop.session(writes=True) as session:
        session.execute(statement)

    found = find_obstacles(old_shop)

    assert found
    assert all(obstacle in each for each in found)
