"""Settings of the cache, and of the count of requests that several processes share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        """Name the directory of the cache file; it may not exist yet."""
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
    """Name the user's cache directory for discosync; it may not exist yet."""
    import platformdirs  # noqa: PLC0415 - start-up time

    return platformdirs.user_cache_path("discosync")
