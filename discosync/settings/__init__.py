"""Settings: environment, then `.env` in the working directory, then `discosync.toml`.

The first one wins, an empty value counts as not set, and every value remembers where it came from.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from discosync.core.flags import Flag, FlagSetting
from discosync.core.planning.limits import RemovalLimit, parse_removal_limit
from discosync.settings.caching import CacheSettings, read_cache_settings
from discosync.settings.layers import KNOWN_SETTINGS, Lookup, read_layers
from discosync.settings.secret import Secret
from discosync.settings.sellers import SellerSettings, parse_secret_token, parse_sellers
from discosync.settings.values import (
    parse_api_url,
    parse_batch_size,
    parse_currency,
    parse_days,
    parse_log_format,
    parse_switch,
)

PUBLIC_API_URL = "https://api.discogs.com"
TOKEN_PAGE = "https://www.discogs.com/settings/developers"  # noqa: S105 - an address, no secret
DATABASE_FILE = "discosync.db"
DEFAULT_RETENTION_DAYS = 180
DEFAULT_ENRICHMENT_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs to know; `origins` says where each value came from.

    `token_variable` is where the token is looked for.
    """

    token: Secret | None
    seller: str | None
    currency: str | None
    api_url: str
    database_url: Secret
    flags: Mapping[Flag, FlagSetting]
    max_removals: RemovalLimit
    report_dir: Path | None
    archive_dir: Path | None
    backup_dir: Path | None
    retention_days: int
    enrichment_batch_size: int
    log_format: str
    cache: CacheSettings
    token_variable: str = "DISCOGS_TOKEN"  # noqa: S105 - a name
    sellers: Mapping[str, SellerSettings] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def for_seller(self, name: str) -> "Settings":
        """Apply the table of one seller, if there is one."""
        own = next((s for s in self.sellers.values() if s.name.casefold() == name.casefold()), None)
        if own is None:
            return replace(self, seller=name)
        return replace(
            self,
            seller=own.name,
            # A variable that is named and not set must not become somebody else's token.
            token=own.token if own.token_variable else own.token or self.token,
            token_variable=own.token_variable or self.token_variable,
            currency=own.currency or self.currency,
            max_removals=own.max_removals or self.max_removals,
        )


def load_settings(*, config: Path | None = None, environ: Mapping[str, str]) -> Settings:
    """Read all settings; raise `NotReady` naming the variable, the fault and an example."""
    lookup = Lookup(read_layers(config, environ))
    return Settings(
        token=lookup.get("DISCOGS_TOKEN", parse_secret_token, None),
        seller=lookup.get("DISCOGS_USERNAME", str, None, also="DISCOGS_SELLER_USERNAME"),
        currency=lookup.get("DISCOGS_CURRENCY", parse_currency, None),
        api_url=lookup.get("DISCOGS_API_URL", parse_api_url, PUBLIC_API_URL),
        database_url=lookup.get("DATABASE_URL", Secret, None) or default_database_url(),
        flags={flag: _flag_setting(flag, lookup) for flag in Flag},
        max_removals=lookup.get("MAX_REMOVALS", parse_removal_limit, RemovalLimit()),
        report_dir=lookup.get("REPORT_DIR", Path, None),
        archive_dir=lookup.get("ARCHIVE_DIR", Path, None),
        backup_dir=lookup.get("BACKUP_DIR", Path, None),
        retention_days=lookup.get("RETENTION_DAYS", parse_days, DEFAULT_RETENTION_DAYS),
        enrichment_batch_size=lookup.get(
            "ENRICHMENT_BATCH_SIZE", parse_batch_size, DEFAULT_ENRICHMENT_BATCH_SIZE
        ),
        log_format=lookup.get("LOG_FORMAT", parse_log_format, "text"),
        cache=read_cache_settings(lookup),
        sellers=parse_sellers(lookup.tables.get("sellers", {}), lookup),
        origins=lookup.origins,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where the database and its backups are, and whose listings it would adopt."""

    database_url: Secret
    backup_dir: Path | None
    seller: str | None


def load_database_settings(
    *, config: Path | None = None, environ: Mapping[str, str]
) -> DatabaseSettings:
    """Read only what finding the database takes.

    A fault in another setting must not stand in the way of a rollback or a restore.
    """
    lookup = Lookup(read_layers(config, environ))
    return DatabaseSettings(
        database_url=lookup.get("DATABASE_URL", Secret, None) or default_database_url(),
        backup_dir=lookup.get("BACKUP_DIR", Path, None),
        seller=lookup.get("DISCOGS_USERNAME", str, None, also="DISCOGS_SELLER_USERNAME"),
    )


def _flag_setting(flag: Flag, lookup: Lookup) -> FlagSetting:
    value = lookup.get(flag.value, parse_switch, True)
    return FlagSetting(value=value, origin=lookup.origins[flag.value])


def known_settings() -> tuple[str, ...]:
    """Name every variable that is read."""
    return KNOWN_SETTINGS


def default_database_url() -> Secret:
    """Name the SQLite file in the user's data directory."""
    return Secret(f"sqlite:///{data_dir() / DATABASE_FILE}")


def data_dir() -> Path:
    """Where discosync keeps its own files for this user; not made here."""
    import platformdirs  # noqa: PLC0415 - only runs without DATABASE_URL need it

    return platformdirs.user_data_path("discosync")


def current_environment() -> Mapping[str, str]:
    """Give this process's environment; the only place that reads it."""
    return os.environ
