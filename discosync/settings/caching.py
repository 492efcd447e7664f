"""Settings of the cache, and of the count of requests that several processes share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from discosync.errors import NotReady
from discosync.settings.layers import Lookup, read_layers
from discosync.settings.secret import Secret
from discosync.settings.values import parse_redis_url, parse_seconds

DEFAULT_CACHE_TTL_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """Where answers are kept, and for how many seconds they are fresh; 0 keeps none.

    They are in Redis, or in `directory`, or in the user's cache directory.
    """

    redis_url: Secret | None
    ttl_seconds: int
    directory: Path | None = None

    @property
    def file_directory(self) -> Path:
        """Name the directory of the cache file; it may not exist yet.

        Raises `NotReady` for a user without a home.
        """
        return self.directory or cache_dir()


def load_cache_settings(*, config: Path | None = None, environ: Mapping[str, str]) -> CacheSettings:
    """Read only the cache's settings: a fault in another one must not prevent clearing it."""
    return read_cache_settings(Lookup(read_layers(config, environ)))


def read_cache_settings(lookup: Lookup) -> CacheSettings:
    """Read the cache's settings from the layers."""
    return CacheSettings(
        redis_url=lookup.get("REDIS_URL", _parse_secret_url, None),
        ttl_seconds=lookup.get("CACHE_TTL", parse_seconds, DEFAULT_CACHE_TTL_SECONDS),
    )


def _parse_secret_url(text: str) -> Secret:
    return Secret(parse_redis_url(text))


def cache_dir() -> Path:
    """Name the user's cache directory for discosync; it may not exist yet.

    Raises `NotReady` for a user without a home.
    """
    import platformdirs  # noqa: PLC0415 - start-up time

    path = own_path(platformdirs.user_cache_path)
    if path is None:
        raise NotReady(
            "this user has no home directory, so there is no place for the cache",
            hint="set HOME, or XDG_CACHE_HOME",
            code="no_home",
        )
    return path


def own_path(ask: Callable[[str], Path]) -> Path | None:
    """Ask for a directory of this user; None for a user without a home, as containers have."""
    try:
        path = ask("discosync")
    except RuntimeError:
        return None
    # Where the library does not notice, the path begins with a `~` that nobody has replaced.
    return path if path.is_absolute() else None
