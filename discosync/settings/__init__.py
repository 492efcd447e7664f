"""Settings: environment, then `.env` in the working directory, then `discosync.toml`.

The first layer that has a value wins. An empty value counts as not set. Each value remembers which
layer it came from. `docs/reference/` lists all settings.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from discosync.core.flags import Flag, FlagSetting
from discosync.core.planning.limits import RemovalLimit, parse_removal_limit
from discosync.errors import NotReady
from discosync.render.scrubbing import is_token
from discosync.settings.caching import CacheSettings, own_path, read_cache_settings
from discosync.settings.layers import Lookup, read_layers
from discosync.settings.secret import Secret
from discosync.settings.sellers import SellerSettings, parse_secret_token, parse_sellers
from discosync.settings.values import (
    parse_api_url,
    parse_batch_size,
    parse_currency,
    parse_days,
    parse_log_format,
    parse_switch,
    parse_user_name,
)

PUBLIC_API_URL = "https://api.discogs.com"
TOKEN_PAGE = "https://www.discogs.com/settings/developers"  # noqa: S105 - an address, no secret
DATABASE_FILE = "discosync.db"
DEFAULT_RETENTION_DAYS = 180
DEFAULT_ENRICHMENT_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a run.

    `origins` says for each variable which layer its value came from. `token_variable` names the
    variable that holds the token: a seller's table may name its own.
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
        """Apply the seller's table of `discosync.toml`; without one only the name changes.

        Raises `NotReady` for a token in place of a name: it would stand in every row.
        """
        if is_token(name):
            raise NotReady(
                "the seller's name is a token: --seller or DISCOGS_USERNAME holds the wrong text",
                hint="put the token into DISCOGS_TOKEN, and the seller's user name there",
                code="bad_setting",
            )
        # Discogs ignores the case of user names.
        own = next((s for s in self.sellers.values() if s.name.casefold() == name.casefold()), None)
        if own is None:
            return replace(self, seller=name)
        return replace(
            self,
            seller=own.name,
            # A seller whose `token_env` is not set has no token: another seller's must not be used.
            token=own.token if own.token_variable else own.token or self.token,
            token_variable=own.token_variable or self.token_variable,
            currency=own.currency or self.currency,
            max_removals=own.max_removals or self.max_removals,
        )


def load_settings(*, config: Path | None = None, environ: Mapping[str, str]) -> Settings:
    """Read all settings; raise `NotReady` with the variable, its fault and an example."""
    lookup = Lookup(read_layers(config, environ))
    return Settings(
        token=lookup.get("DISCOGS_TOKEN", parse_secret_token, None),
        seller=lookup.get(
            "DISCOGS_USERNAME", parse_user_name, None, also="DISCOGS_SELLER_USERNAME"
        ),
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
    """Where the database and its backups are; `seller` owns the rows of an old shop's database."""

    database_url: Secret
    backup_dir: Path | None
    seller: str | None


def load_database_settings(
    *, config: Path | None = None, environ: Mapping[str, str]
) -> DatabaseSettings:
    """Read only the settings that lead to the database.

    A fault in another setting must not prevent a rollback or a restore.
    """
    lookup = Lookup(read_layers(config, environ))
    return DatabaseSettings(
        database_url=lookup.get("DATABASE_URL", Secret, None) or default_database_url(),
        backup_dir=lookup.get("BACKUP_DIR", Path, None),
        seller=lookup.get(
            "DISCOGS_USERNAME", parse_user_name, None, also="DISCOGS_SELLER_USERNAME"
        ),
    )


def _seller_setting(lookup: Lookup) -> str | None:
    return lookup.get("DISCOGS_USERNAME", parse_user_name, None, also="DISCOGS_SELLER_USERNAME")


def _flag_setting(flag: Flag, lookup: Lookup) -> FlagSetting:
    value = lookup.get(flag.value, parse_switch, True)
    return FlagSetting(value=value, origin=lookup.origins[flag.value])


def default_database_url() -> Secret:
    """Return the URL of the SQLite file in the user's data directory."""
    return Secret(f"sqlite:///{data_dir() / DATABASE_FILE}")


def data_dir() -> Path:
    """Name the directory of this user's discosync files; it may not exist yet.

    Raises `NotReady` for a user without a home, as some containers have.
    """
    import platformdirs  # noqa: PLC0415 - needed only without DATABASE_URL

    path = own_path(platformdirs.user_data_path)
    if path is None:
        raise NotReady(
            "this user has no home directory, so there is no place for discosync's own files",
            hint="set HOME; or say yourself where they go: DATABASE_URL for the database, and with "
            "Postgres BACKUP_DIR and ARCHIVE_DIR",
            code="no_home",
        )
    return path


def current_environment() -> Mapping[str, str]:
    """Return this process's environment; no other function reads it."""
    return os.environ
