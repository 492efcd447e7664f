"""The two stores keep answers alike, and say what is wrong with them."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from requests_cache.models.response import CachedResponse

from discosync.discogs.cache.answer_stores import (
    FILE_NAME,
    NAMESPACE,
    AnswerFile,
    DamagedFile,
    Store,
    delete_damaged,
    open_file_store,
    open_redis_store,
)
from discosync.discogs.redis_link import CacheTrouble
from discosync.settings.secret import Secret
from tests.support.redis import Redis


def _answer(body: bytes = b'{"id": 1}', *, seconds: int = 60) -> CachedResponse:
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return CachedResponse(url="http://discogs/releases/1", content=body, expires=expires)


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A file, and a real Redis."""
    if request.param == "sqlite":
        opened = open_file_store(tmp_path)
    else:
        server: Redis = request.getfixturevalue("redis_server")
        opened = open_redis_store(Secret(server.url))
    yield opened
    opened.close()


def test_what_is_saved_is_loaded(store: Store) -> None:
    """A newer answer takes the place of an older one."""
    for body in (b"one", b"two"):
        store.save("key", _answer(body))
    found = store.load("key")
    assert found is not None
    assert found.content == b"two"


def test_nothing_is_told_from_garbage(store: Store, request: pytest.FixtureRequest) -> None:
    """Nothing is a `KeyError`; what cannot be read is None."""
    with pytest.raises(KeyError):
        store.load("key")
    store.save("key", _answer())
    if isinstance(store.answers, AnswerFile):
        with store.answers.connection(commit=True) as opened:
            opened.execute("UPDATE answers SET value = '[1]'")
    else:
        with request.getfixturevalue("redis_server").client() as client:
            client.set(f"{NAMESPACE}:key", b"[1]")
    assert store.load("key") is None


def test_file_that_is_held_is_trouble_and_not_damage(tmp_path: Path) -> None:
    """It may be free again in a moment: nobody deletes it."""
    store = open_file_store(tmp_path)
    store.save("key", _answer())
    holder = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(CacheTrouble, match="locked") as caught:
            store.save("key", _answer())
        assert not isinstance(caught.value, DamagedFile)
    finally:
        holder.close()
    store.save("key", _answer(b"free again"))
    store.close()


def test_damaged_file_is_deleted(tmp_path: Path) -> None:
    """So that the next run can make a new one."""
    path = tmp_path / FILE_NAME
    path.write_bytes(b"no database" * 500)
    with pytest.raises(DamagedFile) as caught:
        open_file_store(tmp_path)
    delete_damaged(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_new_file_of_another_run_is_not_deleted(tmp_path: Path) -> None:
    """Two runs find the damage, and one is quicker: the other leaves the new file alone."""
    path = tmp_path / FILE_NAME
    path.write_bytes(b"no database" * 500)
    with pytest.raises(DamagedFile) as caught:
        open_file_store(tmp_path)
    path.rename(tmp_path / "aside")  # still there, so that its inode is not given again
    open_file_store(tmp_path).close()
    delete_damaged(caught.value)
    assert path.exists()


def test_expired_answers_are_forgotten(tmp_path: Path) -> None:
    """Fresh ones stay; forgetting all gives their number."""
    store = open_file_store(tmp_path)
    assert isinstance(store.answers, AnswerFile)
    store.save("old", _answer(seconds=-60))
    store.save("new", _answer())
    store.answers.forget_expired(datetime.now(UTC).timestamp())
    assert list(store.answers.keys()) == ["new"]
    assert store.answers.forget_all() == 1
    store.close()


def test_namespace_is_ours() -> None:
    """Whatever is cleared begins with the program's name."""
    assert NAMESPACE.startswith("discosync:")
