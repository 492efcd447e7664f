"""All settings, and the few that lead to the database or to the cache."""

from pathlib import Path

import pytest

from discosync.core.flags import Flag
from discosync.errors import NotReady
from discosync.settings import load_database_settings, load_settings
from discosync.settings.caching import load_cache_settings
from discosync.settings.layers import KNOWN_SETTINGS


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, so that no settings file is found."""
    monkeypatch.chdir(tmp_path)


def test_every_known_variable_is_read() -> None:
    """A variable that is known and never read would be a setting without effect."""
    asked = load_settings(environ={}).origins.keys()
    assert {*asked, "DISCOGS_SELLER_USERNAME"} == set(KNOWN_SETTINGS)


def test_flag_remembers_where_it_was_set() -> None:
    """A run's report says why a flag was on or off."""
    flags = load_settings(environ={"USE_CACHE": "off"}).flags
    assert (flags[Flag.USE_CACHE].value, flags[Flag.USE_CACHE].origin) == (False, "environment")
    assert flags[Flag.USE_CSV_EXPORT].origin == "default"


def test_fault_in_another_setting_blocks_neither_database_nor_cache() -> None:
    """A rollback, a restore and a cleared cache work although a sync would not."""
    environ = {"CACHE_TTL": "soon", "DISCOGS_CURRENCY": "XXX", "DATABASE_URL": "sqlite:///x.db"}
    with pytest.raises(NotReady):
        load_settings(environ=environ)
    assert load_database_settings(environ=environ).database_url.reveal() == "sqlite:///x.db"
    assert load_cache_settings(environ={**environ, "CACHE_TTL": "5"}).ttl_seconds == 5


def test_cache_directory_is_the_users_own_unless_named(tmp_path: Path) -> None:
    """A sandbox run keeps its answers apart from the shop's."""
    settings = load_cache_settings(environ={})
    assert settings.file_directory.name == "discosync"
