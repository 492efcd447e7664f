"""A Redis is asked with short patience, and what goes wrong is told without its password."""

import pytest
import redis

from discosync.discogs.redis_link import CacheTrouble, connect, redis_trouble, shown_address
from discosync.settings.secret import Secret
from tests.support.redis import PASSWORD, Redis


def test_connection_opens_with_the_first_command(redis_server: Redis) -> None:
    """Preparing one asks nothing; a command does."""
    with connect(Secret(redis_server.url)) as connection, redis_trouble():
        assert connection.ping()
    nobody = connect(Secret("redis://127.0.0.1:1/0"))
    with pytest.raises(CacheTrouble, match="cannot be reached"), redis_trouble():
        nobody.ping()


def test_each_trouble_has_its_words(redis_server: Redis) -> None:
    """A wrong password, an odd command and a silent server are told apart."""
    stranger = connect(Secret(f"unix://:wrong@{redis_server.socket}"))
    with pytest.raises(CacheTrouble, match="password"), redis_trouble():
        stranger.ping()
    with connect(Secret(redis_server.url)) as connection:
        with pytest.raises(CacheTrouble, match="unknown command"), redis_trouble():
            connection.execute_command("DISCOSYNC")
        redis_server.pause()
        with pytest.raises(CacheTrouble, match="in time"), redis_trouble():
            connection.ping()


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@host/0?socket_timeout=x",
        f"redis://:{PASSWORD}@host/0?ssl_cert_reqs=none",
        f"http://:{PASSWORD}@host/0",
        f"redis://:{PASSWORD}@host:port/0",
    ],
)
def test_odd_address_is_not_quoted(url: str) -> None:
    """Its fault is named, and neither text nor cause holds the password."""
    with pytest.raises(CacheTrouble, match="REDIS_URL") as caught:
        connect(Secret(url))
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


def test_refusal_that_repeats_the_command_is_cut() -> None:
    """A server that does not know AUTH repeats what it was sent, and with it the password."""
    words = f"unknown command 'AUTH', with args beginning with: '{PASSWORD}'"
    with pytest.raises(CacheTrouble, match="unknown command 'AUTH'") as caught, redis_trouble():
        raise redis.ResponseError(words)
    assert PASSWORD not in str(caught.value)


def test_missing_key_is_an_answer() -> None:
    """It is no trouble, and comes through as it is."""
    with pytest.raises(KeyError), redis_trouble():
        raise KeyError("nothing there")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://joe:{PASSWORD}@cache.example:6380/2", "redis://cache.example:6380/2"),
        (f"rediss://:{PASSWORD}@[::1]/0", "rediss://[::1]:6379/0"),
        (f"unix://:{PASSWORD}@/run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_shown_address_has_neither_user_nor_password(url: str, shown: str) -> None:
    """People see where it is, and nothing more."""
    assert shown_address(Secret(url)) == shown
