"""The `[sellers.NAME]` tables of `discosync.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass

from discosync.core.planning.limits import RemovalLimit, parse_removal_limit
from discosync.errors import NotReady
from discosync.settings.layers import Lookup, parse_setting
from discosync.settings.secret import Secret
from discosync.settings.values import parse_currency, parse_token

_SELLER_KEYS = {"token", "token_env", "currency", "max_removals"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSettings:
    """One `[sellers.NAME]` table."""

    name: str
    token: Secret | None = None
    token_variable: str | None = None
    currency: str | None = None
    max_removals: RemovalLimit | None = None


def parse_secret_token(text: str) -> Secret:
    """Read a token as a secret."""
    return Secret(parse_token(text))


def parse_sellers(tables: object, lookup: Lookup) -> dict[str, SellerSettings]:
    """Read every seller's table; raise `NotReady` for a faulty one."""
    if not isinstance(tables, Mapping):
        raise _bad_sellers("sellers")
    return {name: _parse_seller(name, table, lookup) for name, table in tables.items()}


def _bad_sellers(where: str) -> NotReady:
    return NotReady(
        f"[{where}] is no table of {', '.join(sorted(_SELLER_KEYS))}",
        hint="correct discosync.toml; example: [sellers.velvet-crates]",
        code="bad_config",
    )


def _parse_seller(name: str, table: object, lookup: Lookup) -> SellerSettings:
    if not isinstance(table, Mapping) or table.keys() - _SELLER_KEYS:
        raise _bad_sellers(f"sellers.{name}")
    where = f"[sellers.{name}]"
    currency, removals = table.get("currency"), table.get("max_removals")
    return SellerSettings(
        name=name,
        token=_sellers_token(where, table, lookup),
        token_variable=None if "token_env" not in table else str(table["token_env"]),
        currency=currency and parse_setting(f"{where} currency", str(currency), parse_currency),
        max_removals=None
        if removals is None
        else parse_setting(f"{where} max_removals", str(removals), parse_removal_limit),
    )


def _sellers_token(where: str, table: Mapping[str, object], lookup: Lookup) -> Secret | None:
    # The variable may stand in the environment, in `.env` or in the file, as any other.
    if "token_env" in table:
        return lookup.get(str(table["token_env"]), parse_secret_token, None)
    if "token" in table:
        return parse_setting(f"{where} token", str(table["token"]).strip(), parse_secret_token)
    return None
