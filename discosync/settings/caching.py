"""Where answers are kept, and the count of requests that several processes share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from discosync.settings.layers import Lookup, read_layers
from discosync.settings.secret import Secret
from discosync.settings.values import parse_redis_url, parse_seconds

DEFAULT_CACHE_TTL_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """How answers are kept: for how long (0: not at all), in this Redis or in this directory.

    Without a directory they are in the user's own, which is looked for when it is needed.
    """

    redis_url: Secret | None
    ttl_seconds: int
    directory: Path | None = None

    @property
    def place(self) -> Path:
        """Where answers are that are not in Redis; not made here."""
        return self.directory or cache_dir()


def load_cache_settings(*, config: Path | None = None, environ: Mapping[str, str]) -> CacheSettings:
    """Read only what finding the cache takes: another setting's fault must not stand in the way."""
    return read_cache_settings(Lookup(read_layers(config, environ)))


def read_cache_settings(lookup: Lookup) -> CacheSettings:
    """Find the cache's settings among the others."""
    return CacheSettings(
        redis_url=lookup.get("REDIS_URL", _parse_secret_url, None),
        ttl_seconds=lookup.get("CACHE_TTL", parse_seconds, DEFAULT_CACHE_TTL_SECONDS),
    )


def _parse_secret_url(text: str) -> Secret:
    return Secret(parse_redis_url(text))


def cache_dir() -> Path:
    """Where discosync keeps what it can do without, for this user; not made here."""
    import platformdirs  # noqa: PLC0415 - start-up time

    return platformdirs.user_cache_path("discosync")
