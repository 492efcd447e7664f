"""The layers of settings: the first one that has a value wins."""

from pathlib import Path

import pytest

from discosync.errors import NotReady
from discosync.settings.layers import KNOWN_SETTINGS, Layer, Lookup, parse_setting, read_layers


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_first_layer_with_a_value_wins(directory: Path) -> None:
    """An empty value counts as not set, so the next layer is looked at."""
    (directory / ".env").write_text("DISCOGS_CURRENCY=EUR\nCACHE_TTL=\n")
    (directory / "discosync.toml").write_text('discogs_currency = "USD"\ncache_ttl = 60\n')
    lookup = Lookup(read_layers(None, {"DISCOGS_CURRENCY": " "}))
    assert lookup.get("DISCOGS_CURRENCY", str, None) == "EUR"
    assert lookup.get("CACHE_TTL", int, 3600) == 60
    assert lookup.get("REDIS_URL", str, None) is None
    assert lookup.origins == {
        "DISCOGS_CURRENCY": ".env",
        "CACHE_TTL": "discosync.toml",
        "REDIS_URL": "default",
    }


def test_other_name_of_a_variable_counts_in_its_own_layer() -> None:
    """The environment's second name is stronger than a file's first one."""
    lookup = Lookup([Layer("environment", {"OTHER": "a"}), Layer("file", {"NAME": "b"})])
    assert lookup.get("NAME", str, None, also="OTHER") == "a"


def test_switch_of_toml_is_a_switch(directory: Path) -> None:
    """`true` in TOML is no text, and is read as one."""
    (directory / "discosync.toml").write_text("use_cache = false\n")
    assert read_layers(None, {})[-1].values == {"USE_CACHE": "false"}


def test_misspelt_key_is_named_with_the_known_ones(directory: Path) -> None:
    """A key that nobody reads would leave its setting at the default."""
    (directory / "discosync.toml").write_text('discogs_curency = "EUR"\n')
    with pytest.raises(NotReady, match="unknown setting 'discogs_curency'") as refused:
        read_layers(None, {})
    assert all(name.lower() in refused.value.hint for name in KNOWN_SETTINGS)


@pytest.mark.parametrize(
    ("name", "content"),
    [("discosync.toml", b"x = "), ("discosync.toml", b"x = '\xe9'"), (".env", b"X=\xe9\n")],
)
def test_broken_file_is_named(directory: Path, name: str, content: bytes) -> None:
    """A file that is no TOML, or no UTF-8, stops the run before anything is asked."""
    (directory / name).write_bytes(content)
    with pytest.raises(NotReady, match=name):
        read_layers(None, {})


def test_named_file_must_be_there(directory: Path) -> None:
    """Without `--config` the file may be missing; with it, it may not."""
    assert read_layers(None, {})[-1].values == {}
    with pytest.raises(NotReady, match="there is no such file"):
        read_layers(directory / "other.toml", {})


def test_faulty_value_names_its_variable() -> None:
    """The refusal says which variable, what is wrong, and what would be right."""
    with pytest.raises(NotReady, match="CACHE_TTL: invalid literal") as refused:
        parse_setting("CACHE_TTL", "x", int)
    assert refused.value.code == "bad_setting"
