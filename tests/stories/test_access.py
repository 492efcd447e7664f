"""Who may look: tokens, sellers, the public view, and rooms that do not mix."""

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.program import TOKEN, Program
from tests.support.shop import make_listing, make_shop, with_changed, write_export


def test_no_token_is_not_the_public_view(sqlite_program: Program) -> None:
    """A token that is missing by accident says what to set and where to get it."""
    result = sqlite_program("sync", DISCOGS_TOKEN="")

    assert result.exit_code == 10
    assert "DISCOGS_TOKEN" in result.stderr
    assert "https://www.discogs.com/settings/developers" in result.stderr


def test_no_seller_says_what_to_set(sqlite_program: Program) -> None:
    """Without a seller there is nothing to do."""
    result = sqlite_program("sync", DISCOGS_USERNAME="")

    assert result.exit_code == 10
    assert "DISCOGS_USERNAME" in result.stderr


def test_other_name_of_the_seller_setting_is_understood(sqlite_program: Program) -> None:
    """DISCOGS_SELLER_USERNAME is the old shop's name for it."""
    result = sqlite_program(
        "sync", "--json", DISCOGS_USERNAME="", DISCOGS_SELLER_USERNAME="velvet-crates"
    )
    assert result.exit_code == 0


def test_refused_token_says_so_and_does_not_fall_back(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A token that Discogs refuses ends the run: the public view would hide half the shop."""
    result = sqlite_program("sync", DISCOGS_TOKEN="wrong-" + TOKEN[6:])

    assert result.exit_code == 12
    assert sandbox.state.requests == ["GET /oauth/identity"]


def test_somebody_elses_token_is_refused(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A valid token of another user sees another inventory."""
    sandbox.state.identity = "somebody-else"

    result = sqlite_program("sync")

    assert result.exit_code == 12
    assert "'somebody-else'" in result.stderr


def test_unknown_seller_is_not_ready(sqlite_program: Program) -> None:
    """A name that Discogs does not know is a setting to mend."""
    result = sqlite_program("sync", "--public", "--seller", "no-such-shop")

    assert result.exit_code == 10
    assert "no-such-shop" in result.stderr


def test_public_view_needs_no_token_and_blanks_nothing(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """What a stranger cannot see is neither a change nor blanked."""
    sqlite_program("sync", "--source", "export")
    sandbox.state.inventory = with_changed(
        make_shop(20), 1, comments="Seen by all", location="gone"
    )

    result = sqlite_program("sync", "--public", "--json", DISCOGS_TOKEN="")

    assert result.counts == {"seen": 20, "updated": 1, "unchanged": 19, "active": 20}
    row = sqlite_program.query("SELECT * FROM listings WHERE listing_id = '4400000002'")[0]
    assert (row["comments"], row["location"]) == ("Seen by all", "001")
    owner = sqlite_program("sync", "--source", "pages", "--json", "--changes")
    assert [c["fields"] for c in owner.report["changes"]] == [{"location": ["001", "gone"]}]


def test_first_sight_of_private_fields_is_no_change(sqlite_program: Program) -> None:
    """What only the owner sees is learnt, not changed, after a public beginning."""
    sqlite_program("sync", "--public", DISCOGS_TOKEN="")
    assert sqlite_program.query("SELECT DISTINCT location FROM listings") == [{"location": None}]

    result = sqlite_program("sync", "--source", "export", "--json")

    assert result.counts == {"seen": 20, "unchanged": 20, "active": 20}
    rows = sqlite_program.query("SELECT location FROM listings ORDER BY listing_id")
    assert [row["location"] for row in rows][:2] == ["000", "001"]


def test_public_view_of_a_large_shop_never_removes(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Beyond 10,000 listings a stranger sees a part, and a part proves no absence."""
    sandbox.state.inventory = make_shop(10_050)
    first = sqlite_program("sync", "--public", "--json")
    sandbox.state.inventory = make_shop(10_300)[100:]

    second = sqlite_program("sync", "--public", "--json")

    assert first.exit_code == 3
    assert first.counts["added"] == 10_000
    assert second.counts == {"seen": 10_000, "added": 100, "unchanged": 9_900, "active": 10_100}


def test_name_in_the_file_must_be_the_settings_seller(sqlite_program: Program) -> None:
    """Another shop's export does not get in by way of the setting; --seller insists."""
    path = write_export(
        sqlite_program.directory / "other-inventory-20260301-0900.csv", make_shop(3)
    )
    refused = sqlite_program("sync", "--from-file", str(path))
    named = sqlite_program("sync", "--from-file", str(path), DISCOGS_USERNAME="", DISCOGS_TOKEN="")
    insisted = sqlite_program("sync", "--from-file", str(path), "--seller", "velvet-crates")

    assert (refused.exit_code, named.exit_code, insisted.exit_code) == (12, 0, 0)
    rows = sqlite_program.query("SELECT seller, count(*) n FROM listings GROUP BY seller")
    assert {r["seller"]: r["n"] for r in rows} == {"other": 3, "velvet-crates": 3}


def test_older_file_is_refused_with_a_way_out(sqlite_program: Program) -> None:
    """A file that says it is older than what was applied would bring sold records back."""
    directory = sqlite_program.directory
    newer = write_export(directory / "velvet-crates-inventory-20260302-0900.csv", make_shop(3))
    older = write_export(directory / "velvet-crates-inventory-20260301-0900.csv", make_shop(5))
    assert sqlite_program("sync", "--from-file", str(newer)).exit_code == 0

    refused = sqlite_program.run("sync", "--from-file", str(older))
    again = sqlite_program("sync", "--from-file", str(newer))
    nameless = sqlite_program("sync", "--from-file", "-", stdin=older.read_bytes())

    assert refused.exit_code == 13
    assert f"discosync sync --from-file - --seller velvet-crates < {older}" in refused.stderr
    assert (again.exit_code, nameless.exit_code) == (0, 0)


def test_file_from_the_future_is_refused(sqlite_program: Program) -> None:
    """A slip in a file's name must not make every later inventory look old."""
    name = "velvet-crates-inventory-20990301-0900.csv"
    path = write_export(sqlite_program.directory / name, make_shop(3))

    result = sqlite_program("sync", "--from-file", str(path))

    assert result.exit_code == 13
    assert "in the future" in result.stderr


def test_sandbox_and_real_shops_do_not_mix(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A made-up seller never gets into a database that holds a real one, nor the other way."""
    assert sqlite_program("sync").exit_code == 0
    sandbox.state.is_marked = True

    result = sqlite_program("sync")

    assert result.exit_code == 10
    assert "must not mix" in result.stderr


def test_currency_is_learnt_kept_and_guarded(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """The export has no currency: it is learnt from the pages, and a change of it is refused."""
    sqlite_program("sync", "--source", "export")
    rows = sqlite_program.query("SELECT DISTINCT price_currency FROM listings")
    assert rows == [{"price_currency": "EUR"}]
    sandbox.state.inventory = [make_listing(n, price_currency="USD") for n in range(20)]

    refused = sqlite_program("sync", "--source", "export")
    contradicted = sqlite_program("sync", "--source", "export", DISCOGS_CURRENCY="EUR")
    allowed = sqlite_program("sync", "--source", "export", "--allow-mass-change", "--json")

    assert refused.exit_code == 13
    assert "from EUR to USD" in refused.stderr
    assert contradicted.exit_code == 10
    assert allowed.counts["updated"] == 20


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("USE_CSV_EXPORT", "maybe", "example: true"),
        ("DISCOGS_CURRENCY", "XXX", "example: EUR"),
        ("MAX_REMOVALS", "many", "example: 25 or 5%"),
        ("DISCOGS_API_URL", "http://discogs.example", "example: https://api.discogs.com"),
        ("DATABASE_URL", "mysql://host/shop", "postgresql://"),
        ("DATABASE_URL", "sqlite://", "in memory"),
        ("LOG_FORMAT", "xml", "example: text"),
        ("DISCOGS_TOKEN", "tökén", "characters that no token has"),
    ],
)
def test_bad_setting_names_variable_fault_and_example(
    sqlite_program: Program, name: str, value: str, said: str
) -> None:
    """A bad value names the variable, what is wrong with it, and a right one."""
    sqlite_program.environment[name] = value

    result = sqlite_program("sync")

    assert result.exit_code == 10
    assert name in result.stderr
    assert said in result.stderr
