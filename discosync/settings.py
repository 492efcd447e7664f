"""Settings: environment, then `.env` in the working directory, then `discosync.toml`.

The first one wins, an empty value counts as not set, and every value remembers where it came from.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from discosync.core.limits import RemovalLimit, parse_removal_limit
from discosync.core.report import FlagValue
from discosync.core.setting_values import (
    parse_api_url,
    parse_currency,
    parse_log_format,
    parse_switch,
    parse_token,
)
from discosync.errors import NotReady

PUBLIC_API_URL = "https://api.discogs.com"
TOKEN_PAGE = "https://www.discogs.com/settings/developers"  # noqa: S105 - an address, no secret
DATABASE_FILE = "discosync.db"

T = TypeVar("T")


class Secret:
    """Text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSettings:
    """One `[sellers.NAME]` table."""

    name: str
    token: Secret | None = None
    token_variable: str | None = None
    currency: str | None = None
    max_removals: RemovalLimit | None = None


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
    use_csv_export: bool
    use_content_hash: bool
    max_removals: RemovalLimit
    report_dir: Path | None
    log_format: str
    token_variable: str = "DISCOGS_TOKEN"  # noqa: S105 - a name
    sellers: Mapping[str, SellerSettings] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def flags(self) -> dict[str, FlagValue]:
        """Which way each flag stands, and why."""
        return {
            "USE_CSV_EXPORT": FlagValue(
                value=self.use_csv_export, why=self.origins["USE_CSV_EXPORT"]
            ),
            "USE_CONTENT_HASH": FlagValue(
                value=self.use_content_hash, why=self.origins["USE_CONTENT_HASH"]
            ),
        }

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
    layers = _read_layers(config, environ)
    lookup = _Lookup(layers)
    toml = layers[-1].tables
    return Settings(
        token=lookup.get("DISCOGS_TOKEN", _parse_token, None),
        seller=lookup.get("DISCOGS_USERNAME", str, None, also="DISCOGS_SELLER_USERNAME"),
        currency=lookup.get("DISCOGS_CURRENCY", parse_currency, None),
        api_url=lookup.get("DISCOGS_API_URL", parse_api_url, PUBLIC_API_URL),
        database_url=lookup.get("DATABASE_URL", Secret, None) or default_database_url(),
        use_csv_export=lookup.get("USE_CSV_EXPORT", parse_switch, True),
        use_content_hash=lookup.get("USE_CONTENT_HASH", parse_switch, True),
        max_removals=lookup.get("MAX_REMOVALS", parse_removal_limit, RemovalLimit()),
        report_dir=lookup.get("REPORT_DIR", Path, None),
        log_format=lookup.get("LOG_FORMAT", parse_log_format, "text"),
        sellers=_parse_sellers(toml.get("sellers", {}), lookup),
        origins=lookup.origins,
    )


def known_settings() -> tuple[str, ...]:
    """Name every variable that is read."""
    return _KNOWN


def default_database_url() -> Secret:
    """Name the SQLite file in the user's data directory."""
    return Secret(f"sqlite:///{data_dir() / DATABASE_FILE}")


def data_dir() -> Path:
    """Where discosync keeps its own files for this user; not made here."""
    import platformdirs  # noqa: PLC0415 - only runs without DATABASE_URL need it

    return platformdirs.user_data_path("discosync")


# Reading.

_KNOWN = (
    "DISCOGS_TOKEN",
    "DISCOGS_USERNAME",
    "DISCOGS_SELLER_USERNAME",
    "DISCOGS_CURRENCY",
    "DISCOGS_API_URL",
    "DATABASE_URL",
    "USE_CSV_EXPORT",
    "USE_CONTENT_HASH",
    "MAX_REMOVALS",
    "REPORT_DIR",
    "LOG_FORMAT",
)
_SELLER_KEYS = {"token", "token_env", "currency", "max_removals"}


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    values: Mapping[str, str]
    tables: Mapping[str, Any] = field(default_factory=dict)


def _read_layers(config: Path | None, environ: Mapping[str, str]) -> list[_Layer]:
    return [_Layer("environment", environ), _read_dotenv(), _read_toml(config)]


def _read_dotenv() -> _Layer:
    path = Path(".env")
    if not path.is_file():
        return _Layer(".env", {})
    from dotenv import dotenv_values  # noqa: PLC0415 - most runs have no such file

    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as exc:
        raise _unreadable(path, exc) from exc
    return _Layer(str(path), {k: v for k, v in values.items() if v is not None})


def _read_toml(config: Path | None) -> _Layer:
    path = config or Path("discosync.toml")
    if not path.is_file():
        if config is not None:
            raise NotReady(
                f"--config {config}: there is no such file", code="no_config", hint="check the path"
            )
        return _Layer(str(path), {})
    import tomllib  # noqa: PLC0415 - most runs have no such file

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise NotReady(
            f"{path} is not TOML: {exc}", code="bad_config", hint=f"mend {path}"
        ) from exc
    values = {
        k.upper(): str(v).lower() if isinstance(v, bool) else str(v) for k, v in tables.items()
    }
    values.pop("SELLERS", None)
    unknown = sorted(values.keys() - set(_KNOWN))
    if unknown:
        raise NotReady(
            f"{path}: unknown setting {unknown[0].lower()!r}",
            code="bad_config",
            hint=f"known settings: {', '.join(n.lower() for n in _KNOWN)}",
        )
    return _Layer(str(path), values, tables)


def _unreadable(path: Path, exc: Exception) -> NotReady:
    reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
    return NotReady(f"cannot read {path}: {reason}", hint=f"mend {path}", code="bad_config")


class _Lookup:
    """Finds a value in the layers, parses it, and remembers where it was."""

    def __init__(self, layers: list[_Layer]) -> None:
        self._layers = layers
        self.origins: dict[str, str] = {}

    def get(self, name: str, parse: Callable[[str], T], default: T, *, also: str = "") -> T:
        """Find a value under its name, or under the other one it `also` has."""
        self.origins[name] = "default"
        for layer in self._layers:
            text = (layer.values.get(name, "") or layer.values.get(also, "")).strip()
            if text:
                self.origins[name] = layer.name
                return _parse_setting(f"{name} ({layer.name})", text, parse)
        return default


def _parse_setting(name: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ValueError as exc:
        raise NotReady(
            f"{name}: {exc}", code="bad_setting", hint="correct it, then run again"
        ) from exc


def _parse_token(text: str) -> Secret:
    return Secret(parse_token(text))


def _parse_sellers(tables: object, lookup: _Lookup) -> dict[str, SellerSettings]:
    if not isinstance(tables, Mapping):
        raise _bad_sellers("sellers")
    return {name: _parse_seller(name, table, lookup) for name, table in tables.items()}


def _bad_sellers(where: str) -> NotReady:
    return NotReady(
        f"[{where}] is no table of {', '.join(sorted(_SELLER_KEYS))}",
        hint="correct discosync.toml; example: [sellers.velvet-crates]",
        code="bad_config",
    )


def _parse_seller(name: str, table: object, lookup: _Lookup) -> SellerSettings:
    if not isinstance(table, Mapping) or table.keys() - _SELLER_KEYS:
        raise _bad_sellers(f"sellers.{name}")
    where = f"[sellers.{name}]"
    currency, removals = table.get("currency"), table.get("max_removals")
    return SellerSettings(
        name=name,
        token=_sellers_token(where, table, lookup),
        token_variable=None if "token_env" not in table else str(table["token_env"]),
        currency=currency and _parse_setting(f"{where} currency", str(currency), parse_currency),
        max_removals=None
        if removals is None
        else _parse_setting(f"{where} max_removals", str(removals), parse_removal_limit),
    )


def _sellers_token(where: str, table: Mapping[str, object], lookup: _Lookup) -> Secret | None:
    if "token_env" in table:
        return lookup.get(str(table["token_env"]), _parse_token, None)
    if "token" in table:
        return _parse_setting(f"{where} token", str(table["token"]).strip(), _parse_token)
    return None


def current_environment() -> Mapping[str, str]:
    """Give this process's environment; the only place that reads it."""
    return os.environ
