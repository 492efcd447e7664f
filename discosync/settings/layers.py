"""The three layers of settings; the first layer that has a value wins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from discosync.errors import NotReady
from discosync.render.scrubbing import note_address, note_secret

T = TypeVar("T")

KNOWN_SETTINGS = (
    "DISCOGS_TOKEN",
    "DISCOGS_USERNAME",
    "DISCOGS_SELLER_USERNAME",
    "DISCOGS_CURRENCY",
    "DISCOGS_API_URL",
    "DATABASE_URL",
    "USE_CSV_EXPORT",
    "USE_CONTENT_HASH",
    "USE_CACHE",
    "ENABLE_ARTIST_ENRICHMENT",
    "ENRICHMENT_BATCH_SIZE",
    "REDIS_URL",
    "CACHE_TTL",
    "MAX_REMOVALS",
    "RETENTION_DAYS",
    "ARCHIVE_DIR",
    "BACKUP_DIR",
    "REPORT_DIR",
    "LOG_FORMAT",
)
"""Every variable that is read; a key of `discosync.toml` is one of them in small letters."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The environment or one file; `tables` are those of `discosync.toml`."""

    name: str
    values: Mapping[str, str]
    tables: Mapping[str, Any] = field(default_factory=dict)


def read_layers(config: Path | None, environ: Mapping[str, str]) -> list[Layer]:
    """Read the layers, the strongest first; raise `NotReady` for a file that cannot be read."""
    layers = [Layer("environment", environ), _read_dotenv(), _read_toml(config)]
    for layer in layers:
        note_secrets(layer.values)
    return layers


_NO_SECRETS = ("_FILE", "_COMMAND", "_URL", "_PATH")  # where a token is, and not the token


def note_secrets(values: Mapping[str, str]) -> None:
    """Hide every token and the password of every address, whether discosync reads it or not."""
    for name, value in values.items():
        # Also under a mistyped name, and those of proxies.
        if "TOKEN" in name.upper() and not name.upper().endswith(_NO_SECRETS):
            note_secret(value.strip())
        elif "@" in value and ("://" in value or name in KNOWN_SETTINGS):
            note_address(value.strip())


def _read_dotenv() -> Layer:
    path = Path(".env")
    _refuse_pipe(path)
    if not path.is_file():  # a directory of that name is often a virtual environment
        return Layer(".env", {})
    from dotenv import dotenv_values  # noqa: PLC0415 - most runs have no such file

    try:
        # A `$` in a password or a token is a character, not a variable.
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as exc:
        raise _unreadable(path, exc) from exc
    return Layer(str(path), {k: v for k, v in values.items() if v is not None})


def _read_toml(config: Path | None) -> Layer:
    path = config or Path("discosync.toml")
    _refuse_pipe(path)
    if path.is_dir():
        raise NotReady(
            f"{path} is a directory, and no file",
            code="bad_config",
            hint=f"move {path} away" if config is None else "check the path after --config",
        )
    if not path.is_file():
        # The usual file may be missing; one that was named must be there.
        if config is not None:
            raise NotReady(
                f"--config {config}: there is no such file", code="no_config", hint="check the path"
            )
        return Layer(str(path), {})
    import tomllib  # noqa: PLC0415 - most runs have no such file

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise NotReady(
            f"{path} is not TOML: {exc}", code="bad_config", hint=f"correct {path}"
        ) from exc
    # TOML has numbers and booleans; the parsers of settings read text, as in the environment.
    values = {
        k.upper(): str(v).lower() if isinstance(v, bool) else str(v) for k, v in tables.items()
    }
    values.pop("SELLERS", None)
    # A misspelt key would silently leave its setting at the default.
    unknown = sorted(values.keys() - set(KNOWN_SETTINGS))
    if unknown:
        raise NotReady(
            f"{path}: unknown setting {unknown[0].lower()!r}",
            code="bad_config",
            hint=f"known settings: {', '.join(n.lower() for n in KNOWN_SETTINGS)}",
        )
    return Layer(str(path), values, tables)


def _refuse_pipe(path: Path) -> None:
    """Refuse a pipe or a device: reading it could wait for ever."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise NotReady(
            f"{path} is a pipe or a device, and no file",
            code="bad_config",
            hint="write the settings into a file, or into the environment",
        )


def _unreadable(path: Path, exc: Exception) -> NotReady:
    reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
    return NotReady(
        f"cannot read {path}: {reason}", hint=f"make {path} readable", code="bad_config"
    )


class Lookup:
    """Finds a value in the layers, parses it, and records in `origins` which layer it came from."""

    def __init__(self, layers: list[Layer]) -> None:
        self._layers = layers
        self.tables = layers[-1].tables
        self.origins: dict[str, str] = {}

    def get(self, name: str, parse: Callable[[str], T], default: T, *, also: str = "") -> T:
        """Return the parsed value of a variable, or of the variable `also`, or the default."""
        self.origins[name] = "default"
        for layer in self._layers:
            text = (layer.values.get(name, "") or layer.values.get(also, "")).strip()
            if text:
                self.origins[name] = layer.name
                return parse_setting(f"{name} ({layer.name})", text, parse)
        return default


def parse_setting(name: str, text: str, parse: Callable[[str], T]) -> T:
    """Parse a value; raise `NotReady` with the variable, its fault and an example."""
    try:
        return parse(text)
    except ValueError as exc:
        raise NotReady(
            f"{name}: {exc}", code="bad_setting", hint="correct it, then run again"
        ) from exc
