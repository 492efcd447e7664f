"""The connection to a Redis: with short timeouts, and one exception for whatever goes wrong.

No message repeats the address, because it may hold a password. The package `redis` is an extra and
takes 150 ms to import, so it is imported where it is used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from discosync.errors import NotReady
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret

if TYPE_CHECKING:
    import redis

PREFIX = "discosync"
"""All our keys begin with it; no other key is read, written or deleted."""

_TIMEOUT_SECONDS = 0.5
_MAX_MESSAGE = 200
_BAD_PARAMETERS = (ValueError, TypeError, AttributeError, LookupError)
"""What the library raises when it cannot use a parameter of the address."""
_BAD_ADDRESS = (
    "REDIS_URL cannot be used: the package `redis` does not take what stands after its `?` "
    "(ssl_… belongs to rediss:// only)"
)


class CacheTrouble(Exception):
    """A cache or a shared count cannot be used; the text says which one and why.

    It never leaves `discogs`: a run goes on without.
    """


def own_directory(settings: CacheSettings) -> Path:
    """Return the directory of this user's cache; raise `CacheTrouble` for one without a home."""
    try:
        return settings.file_directory
    except NotReady as exc:
        raise CacheTrouble(f"{exc.message} ({exc.hint})") from exc


class RedisMissing(CacheTrouble):
    """The package `redis` is not installed."""


def connect(url: Secret, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> "redis.Redis":
    """Prepare a connection, which opens with its first command.

    Raises `RedisMissing` without the package, `CacheTrouble` for an address it cannot use.
    """
    try:
        import redis  # noqa: PLC0415 - an extra
        from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra
        from redis.retry import Retry  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise RedisMissing(
            "REDIS_URL is set, but the package `redis` is missing "
            "(in the checkout of discosync: pip install '.[redis]')"
        ) from exc
    try:
        prepared = redis.Redis.from_url(
            url.reveal(),
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # Without this the library retries for seconds, with every command.
            retry=Retry(NoBackoff(), 0),
        )
        # The library checks the address when it makes a connection; this makes one and opens none.
        pool = prepared.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (*_BAD_PARAMETERS, redis.RedisError):
        # Neither chained nor quoted: the library's text may repeat the address and its password.
        raise CacheTrouble(_BAD_ADDRESS) from None
    return prepared


@contextmanager
def redis_trouble() -> Iterator[None]:
    """Turn every exception of the Redis library, except `KeyError`, into `CacheTrouble`."""
    from redis import exceptions as known  # noqa: PLC0415 - an extra

    try:
        yield
    except KeyError:  # no such key: an answer, no trouble
        raise
    except known.OutOfMemoryError as exc:
        raise CacheTrouble("Redis is full") from exc
    except known.TimeoutError as exc:
        raise CacheTrouble("Redis does not answer in time") from exc
    except known.AuthenticationError as exc:
        raise CacheTrouble("Redis refuses the password") from exc
    except (known.ConnectionError, OSError) as exc:
        raise CacheTrouble("Redis cannot be reached") from exc
    except known.RedisError as exc:
        raise CacheTrouble(f"Redis answers with an error ({_message(exc)})") from exc
    except _BAD_PARAMETERS as exc:  # the library checks some parameters with the first command
        raise CacheTrouble(_BAD_ADDRESS) from exc


def _message(fault: Exception) -> str:
    """Return the server's own words on one line, without the command: it may hold the password."""
    words = " ".join(str(fault).partition("with args beginning with")[0].split())
    return words[:_MAX_MESSAGE] or type(fault).__name__


def shown_address(url: Secret) -> str:
    """Return the address without user and password."""
    parts = urlsplit(url.reveal())
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 6379}{parts.path}"
