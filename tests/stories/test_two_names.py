"""One shop under two names: a mistyped one is refused, a new one is given by the page."""

import re
from pathlib import Path

from sqlalchemy import inspect

from discosync.database.connection.engine import open_database
from discosync.database.schema.tables import metadata
from tests.support.program import Program
from tests.support.shop import SELLER, make_listing, make_shop, write_export

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "rename-a-seller.md"


def test_mistyped_seller_is_refused_and_allowed_once(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """A listing has one seller: the refusal names the other one, and how to go on."""
    path = write_export(tmp_path / "a.csv", make_shop(60))
    sqlite_program("sync", "--from-file", str(path))
    typed = ("sync", "--from-file", str(path), "--seller", "velvet-crate")

    refused = sqlite_program(*typed)

    assert refused.exit_code == 13
    assert f"60 of 60 listings are known as those of {SELLER}" in refused.stderr
    assert "--allow-shared-listings" in refused.stderr
    assert sqlite_program.query("SELECT count(*) AS n FROM listings") == [{"n": 60}]
    assert sqlite_program(*typed, "--dry-run").exit_code == 13
    assert sqlite_program(*typed, "--allow-shared-listings").exit_code == 0
    assert sqlite_program(*typed).exit_code == 0, "it is known now"


def test_few_listings_of_another_seller_are_noted(sqlite_program: Program, tmp_path: Path) -> None:
    """A few shared listings do not stop a seller: the report names them."""
    path = write_export(tmp_path / "a.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))

    result = sqlite_program("sync", "--from-file", str(path), "--seller", "orchard")

    assert result.exit_code == 0
    assert f"note: 20 of 20 listings are known as those of {SELLER}" in result.stderr


def test_sellers_of_the_sandbox_may_share(sqlite_program: Program) -> None:
    """Every sandbox makes up the same listings: a second made-up seller may have them, too."""
    for seller in ("one", "two"):
        result = sqlite_program("sync", "--sandbox", "--seller", seller, "--json")
        assert (result.exit_code, result.counts["added"]) == (0, 600)


def test_another_sellers_own_listings_are_no_matter(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """Two shops in one database have no listing in common."""
    sqlite_program("sync", "--from-file", str(write_export(tmp_path / "a.csv", make_shop(20))))
    other = write_export(tmp_path / "b.csv", [make_listing(n) for n in range(50, 60)])
    result = sqlite_program("sync", "--from-file", str(other), "--seller", "orchard", "--json")
    assert result.counts == {"seen": 10, "added": 10, "active": 10}


def test_page_renames_a_seller_everywhere(program: Program, tmp_path: Path) -> None:
    """Its statements leave no row under the old name, and the next sync finds nothing new."""
    path = write_export(tmp_path / "a.csv", make_shop(20))
    program("sync", "--from-file", str(path))
    program("enrich", "--names-only")
    blocks = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    sqlite = program.database_url.startswith("sqlite")
    statements = blocks[0 if sqlite else 1].replace("old-name", SELLER)
    database = open_database(program.database_url, read_only=False, application="tests")
    driver = database.connect()
    for statement in statements.split(";"):
        if statement.strip():
            driver.execute(statement)
    driver.close()

    held = inspect(database.engine).get_table_names()
    for table in metadata.sorted_tables:
        if table.name in held and "seller" in table.c:
            found = program.query(f"SELECT DISTINCT seller FROM {table.name}")
            assert found in ([], [{"seller": "new-name"}]), table.name
    again = program("sync", "--from-file", str(path), "--seller", "new-name", "--json")
    assert again.counts == {"seen": 20, "unchanged": 20, "active": 20}
    assert (
        program("history", str(make_listing(0).listing_id), "--seller", "new-name").exit_code == 0
    )
