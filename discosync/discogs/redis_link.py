"""The way to a Redis: bounded in time, its trouble as one exception, its password nowhere.

`redis` is an extra, and takes 150 ms to import: only what is about to ask a Redis comes here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from discosync.settings.secret import Secret

if TYPE_CHECKING:
    import redis

PREFIX = "discosync"
"""All our keys begin so; no other key is ours to touch."""

_TIMEOUT_SECONDS = 0.5
_MAX_MESSAGE = 200
_BAD_PARAMETERS = (ValueError, TypeError, AttributeError, LookupError)
"""What the library ends with when a parameter of the address makes no sense to it."""
_BAD_ADDRESS = (
    "REDIS_URL cannot be used: the package `redis` does not take what stands after its `?` "
    "(ssl_… belongs to rediss:// only)"
)


class CacheTrouble(Exception):
    """A store does not do its part; the text says which and why. Never leaves `discogs`."""


class RedisMissing(CacheTrouble):
    """The package `redis` is not installed."""


def connect(url: Secret, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> "redis.Redis":
    """Prepare a connection; the first question opens it. Raises `CacheTrouble`."""
    try:
        import redis  # noqa: PLC0415 - an extra
        from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra
        from redis.retry import Retry  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise RedisMissing(
            "REDIS_URL is set, but the package `redis` is missing (pip install 'discosync[redis]')"
        ) from exc
    try:
        prepared = redis.Redis.from_url(
            url.reveal(),
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),  # `redis.Redis()` of itself tries for seconds, every time
        )
        # Parameters of the address are looked at when a connection is made; this opens none.
        pool = prepared.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (*_BAD_PARAMETERS, redis.RedisError):
        # Not chained and not quoted: it may repeat the address, and with it the password.
        raise CacheTrouble(_BAD_ADDRESS) from None
    return prepared


@contextmanager
def redis_trouble() -> Iterator[None]:
    """Turn whatever goes wrong with a Redis into `CacheTrouble`."""
    from redis import exceptions as known  # noqa: PLC0415 - an extra

    try:
        yield
    except KeyError:  # nothing is kept there: an answer, no trouble
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
    except _BAD_PARAMETERS as exc:  # some are looked at with the first question only
        raise CacheTrouble(_BAD_ADDRESS) from exc


def _message(fault: Exception) -> str:
    """Give a server's own words in a line, without the command: it may hold the password."""
    words = " ".join(str(fault).partition("with args beginning with")[0].split())
    return words[:_MAX_MESSAGE] or type(fault).__name__


def shown_address(url: Secret) -> str:
    """Write the address for people: without user and password."""
    parts = urlsplit(url.reveal())
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 6379}{parts.path}"
