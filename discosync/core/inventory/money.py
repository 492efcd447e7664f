"""Money: exact to the currency's minor unit, `Decimal` in code, never float arithmetic."""

import re
from decimal import Decimal

MINOR_DIGITS_BY_CURRENCY = {
    "USD": 2,
    "GBP": 2,
    "EUR": 2,
    "CAD": 2,
    "AUD": 2,
    "JPY": 0,
    "CHF": 2,
    "MXN": 2,
    "BRL": 2,
    "NZD": 2,
    "SEK": 2,
    "ZAR": 2,
}
"""The currencies in which Discogs lets people sell (its developer page, `curr_abbr`)."""

MAX_AMOUNT = Decimal("9999999999.99")
"""What `NUMERIC(12, 2)` holds, and what an SQLite float keeps to the cent."""

_ROUNDING_NOISE = Decimal("0.00001")
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,30})?")
_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")  # a float may also be minus zero


def parse_decimal(text: str, name: str) -> Decimal:
    """Read a plain number; `Decimal` alone takes `1_000`, `1e-9999999` and other digits too."""
    if _PLAIN_NUMBER.fullmatch(text) is None:
        raise ValueError(f"{name} {text[:40]!r} is not a number")
    return Decimal(text)


def parse_amount(text: str) -> Decimal:
    """Read an amount of money with two decimals.

    Raises `ValueError`, with the reason for people, for anything that is no amount: text, a
    negative number, NaN, a fraction of a cent.
    """
    amount = parse_decimal(text, "price")
    if amount < 0:
        raise ValueError(f"price {text[:40]!r} is not a possible price")
    if amount > MAX_AMOUNT:
        raise ValueError(f"price {text[:40]!r} is larger than {MAX_AMOUNT}")
    cents = amount.quantize(_CENT)
    # A float may have been rounded on its way to us, by far less than this. A real third decimal is
    # more, and no price.
    if abs(cents - amount) > _ROUNDING_NOISE:
        raise ValueError(f"price {text[:40]!r} has a fraction of a cent")
    return cents or _NOTHING


def render_amount(amount: object, currency: object, *, sign: str = "") -> str:
    """Write an amount for people: `12.50 EUR`, `1200 JPY`, `12.50` without a known currency.

    `sign` stands between thousands; a price has none, so that it can be typed as it is shown.
    """
    if not isinstance(amount, Decimal):
        return "–"
    code = str(currency or "")
    return f"{amount:{sign}.{MINOR_DIGITS_BY_CURRENCY.get(code, 2)}f} {code}".rstrip()
