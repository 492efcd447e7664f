"""`discosync cache`: look at the kept answers of Discogs, and delete them."""

from pathlib import Path

from discosync.discogs.cache.upkeep import CacheState, clear_cache, load_cache_state
from discosync.settings import current_environment
from discosync.settings.caching import load_cache_settings


def show_cache(config: Path | None) -> CacheState:
    """Look at the cache that the settings name."""
    return load_cache_state(load_cache_settings(config=config, environ=current_environment()))


def empty_cache(config: Path | None) -> int:
    """Empty the cache that the settings name; return how many answers were in it."""
    return clear_cache(load_cache_settings(config=config, environ=current_environment()))
