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
        return redis.Redis.from_url(
            url.reveal(),
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),  # `redis.Redis()` of itself tries for seconds, every time
        )
    except ValueError as exc:  # not chained: it may quote the address, and with it the password
        raise CacheTrouble(f"REDIS_URL cannot be used ({type(exc).__name__})") from None


@contextmanager
def redis_trouble() -> Iterator[None]:
    """Turn whatever goes wrong with a Redis into `CacheTrouble`."""
    from redis import exceptions as known  # noqa: PLC0415 - an extra

    try:
        yield
    except known.OutOfMemoryError as exc:
        raise CacheTrouble("Redis is full") from exc
    except known.TimeoutError as exc:
        raise CacheTrouble("Redis does not answer in time") from exc
    except known.AuthenticationError as exc:
        raise CacheTrouble("Redis refuses the password") from exc
    except (known.ConnectionError, OSError) as exc:
        raise CacheTrouble("Redis cannot be reached") from exc
    except (known.RedisError, ValueError) as exc:
        raise CacheTrouble(f"Redis answers with an error ({type(exc).__name__})") from exc


def shown_address(url: Secret) -> str:
    """Write the address for people: without user and password."""
    parts = urlsplit(url.reveal())
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 6379}{parts.path}"
