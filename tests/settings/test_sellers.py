"""The `[sellers.NAME]` tables, and what a seller's own settings are."""

from pathlib import Path

import pytest

from discosync.errors import NotReady
from discosync.settings import load_settings
from discosync.settings.layers import Layer, Lookup
from discosync.settings.sellers import parse_sellers

NOTHING = Lookup([Layer("environment", {"VELVET_TOKEN": "from-a-variable"})])


@pytest.mark.parametrize(
    "tables",
    ["text", {"velvet": "text"}, {"velvet": {"colour": "red"}}, {"velvet": {"currency": "XXX"}}],
)
def test_faulty_table_is_refused(tables: object) -> None:
    """A key that nobody reads, or a value that is none, is no silent default."""
    with pytest.raises(NotReady, match="sellers"):
        parse_sellers(tables, NOTHING)


def test_token_may_stand_in_a_variable() -> None:
    """`token_env` is the name of a variable, `token` the token itself."""
    sellers = parse_sellers(
        {"a": {"token_env": "VELVET_TOKEN"}, "b": {"token": " x "}, "c": {}}, NOTHING
    )
    tokens = {name: s.token and s.token.reveal() for name, s in sellers.items()}
    assert tokens == {"a": "from-a-variable", "b": "x", "c": None}


def test_seller_without_his_variable_gets_no_other_token(tmp_path: Path) -> None:
    """A variable that is named and not set must not become another seller's token."""
    config = tmp_path / "discosync.toml"
    config.write_text(
        '[sellers.Velvet]\ntoken_env = "VELVET_TOKEN"\n[sellers.plain]\ncurrency = "GBP"\n'
    )
    settings = load_settings(config=config, environ={"DISCOGS_TOKEN": "mine"})
    velvet, plain = settings.for_seller("velvet"), settings.for_seller("plain")
    assert (velvet.seller, velvet.token, velvet.token_variable) == ("Velvet", None, "VELVET_TOKEN")
    assert plain.token is not None
    assert (plain.token.reveal(), plain.currency) == ("mine", "GBP")


def test_seller_without_a_table_has_the_common_settings() -> None:
    """Only the name changes."""
    settings = load_settings(environ={"DISCOGS_TOKEN": "mine", "DISCOGS_CURRENCY": "EUR"})
    other = settings.for_seller("somebody")
    assert (other.seller, other.currency, other.token) == ("somebody", "EUR", settings.token)
