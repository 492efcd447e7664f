"""What the cache holds can be seen and cleared, whatever state it is in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from requests_cache.models.response import CachedResponse

from discosync.discogs.cache.answer_stores import FILE_NAME, open_file_store, open_redis_store
from discosync.discogs.cache.upkeep import clear_cache, load_cache_state
from discosync.errors import StorageFailed
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret
from tests.support.redis import PASSWORD, Redis


@pytest.fixture(params=["sqlite", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> CacheSettings:
    """A file, and a real Redis."""
    url = None
    if request.param == "redis":
        url = Secret(request.getfixturevalue("redis_server").url)
    return CacheSettings(redis_url=url, ttl_seconds=3600, directory=tmp_path / "cache")


def _fill(settings: CacheSettings, count: int) -> None:
    if settings.redis_url is None:
        store = open_file_store(settings.file_directory)
    else:
        store = open_redis_store(settings.redis_url)
    for number in range(count):
        expires = datetime.now(UTC) + timedelta(seconds=60 + number)
        store.save(str(number), CachedResponse(url=f"u{number}", content=b"{}", expires=expires))
    store.close()


def test_state_counts_what_is_kept(settings: CacheSettings) -> None:
    """Number, size, and when the oldest and the newest were kept."""
    _fill(settings, 3)
    state = load_cache_state(settings)
    assert (state.entries, state.fault, state.ttl_seconds) == (3, None, 3600)
    assert state.bytes is not None
    assert state.bytes > 100
    assert state.oldest is not None
    assert state.newest is not None
    assert state.oldest <= state.newest


def test_looking_makes_nothing(settings: CacheSettings) -> None:
    """An empty cache has no oldest answer, and no file afterwards."""
    state = load_cache_state(settings)
    assert (state.entries, state.bytes, state.oldest, state.newest) == (0, 0, None, None)
    assert not settings.file_directory.exists()


def test_clearing_gives_the_number(settings: CacheSettings) -> None:
    """A second time there is nothing left."""
    _fill(settings, 3)
    assert [clear_cache(settings), clear_cache(settings)] == [3, 0]
    assert load_cache_state(settings).entries == 0


def test_clearing_takes_only_our_keys(redis_server: Redis, tmp_path: Path) -> None:
    """Others use the Redis as well, and our own shared limit is no answer."""
    url = Secret(redis_server.url)
    settings = CacheSettings(redis_url=url, ttl_seconds=3600, directory=tmp_path)
    _fill(settings, 2)
    with redis_server.client() as client:
        for key in ("answers", "discosync:limit:abc"):
            client.set(key, "x")
        assert clear_cache(settings) == 2
        assert sorted(client.scan_iter()) == [b"answers", b"discosync:limit:abc"]


def test_clearing_empties_the_file_of_a_time_without_redis(
    redis_server: Redis, tmp_path: Path
) -> None:
    """A run whose Redis failed kept its answers in the file."""
    _fill(CacheSettings(redis_url=None, ttl_seconds=3600, directory=tmp_path), 2)
    url = Secret(redis_server.url)
    assert clear_cache(CacheSettings(redis_url=url, ttl_seconds=3600, directory=tmp_path)) == 2


def test_damaged_file_is_told_and_cleared(tmp_path: Path) -> None:
    """Looking says how to get rid of it; clearing does so."""
    settings = CacheSettings(redis_url=None, ttl_seconds=3600, directory=tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 500)
    state = load_cache_state(settings)
    assert state.entries is None
    assert "discosync cache clear" in (state.fault or "")
    assert clear_cache(settings) == 0
    assert not (tmp_path / FILE_NAME).exists()


def test_redis_that_is_down_is_told(tmp_path: Path) -> None:
    """Looking says why nothing is known; clearing fails, without the password."""
    url = Secret(f"redis://:{PASSWORD}@127.0.0.1:1/0")
    settings = CacheSettings(redis_url=url, ttl_seconds=3600, directory=tmp_path)
    state = load_cache_state(settings)
    assert (state.entries, state.where) == (None, "redis://127.0.0.1:1/0")
    assert "cannot be reached" in (state.fault or "")
    with pytest.raises(StorageFailed) as caught:
        clear_cache(settings)
    assert PASSWORD not in caught.value.message
