"""Parsers for the text of a setting; each raises `ValueError` with the fault and an example."""

import ipaddress
from urllib.parse import urlsplit

from discosync.core.inventory.money import MINOR_DIGITS_BY_CURRENCY
from discosync.render.scrubbing import is_token


def parse_switch(text: str) -> bool:
    """Read an on/off value."""
    switches = {"true": True, "1": True, "yes": True, "on": True}
    switches |= {"false": False, "0": False, "no": False, "off": False}
    try:
        return switches[text.strip().lower()]
    except KeyError:
        raise ValueError(f"{text!r} is neither on nor off; example: true") from None


def parse_days(text: str) -> int:
    """Read a whole number of days, at least one."""
    # int() alone would also accept `+5`, `1_0` and digits of other scripts.
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 36_500 and len(text) <= 6):
        raise ValueError(f"{text!r} is not a number of days; example: 180")
    return int(text)


def parse_batch_size(text: str) -> int:
    """Read a whole number of listings, from 1 to 100,000."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= 100_000):
        raise ValueError(f"{text!r} is not a number of listings from 1 to 100000; example: 100")
    return int(text)


def parse_seconds(text: str) -> int:
    """Read a whole number of seconds, zero included."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"{text!r} is not a whole number of seconds; example: 3600")
    return int(text)


def parse_redis_url(text: str) -> str:
    """Read the address of a Redis server; the error never repeats it: it may hold a password."""
    example = "example: redis://localhost:6379/0"
    try:
        url = urlsplit(text)
        named = url.path if url.scheme == "unix" else url.hostname
        _port = url.port
    except ValueError:
        raise ValueError(f"it is not an address; {example}") from None
    if url.scheme not in {"redis", "rediss", "unix"} or not named:
        raise ValueError(
            f"it is not the address of a Redis server (redis://, rediss:// or unix://); {example}"
        )
    return text


def parse_currency(text: str) -> str:
    """Read a currency in which Discogs lets people sell."""
    code = text.strip().upper()
    if code not in MINOR_DIGITS_BY_CURRENCY:
        known = " ".join(MINOR_DIGITS_BY_CURRENCY)
        raise ValueError(f"{text!r} is not a currency of Discogs ({known}); example: EUR")
    return code


def parse_log_format(text: str) -> str:
    """Read `text` or `json`."""
    if text not in {"text", "json"}:
        raise ValueError(f"{text!r} is not a log format; example: text, or json")
    return text


def parse_api_url(text: str) -> str:
    """Read an API address: `https`, or `http` on loopback, for the token goes to this address."""
    url = urlsplit(text)
    host = url.hostname or ""
    # The address goes into logs and reports, where no password may stand.
    if url.username or url.password or "@" in text:
        raise ValueError("the address holds a user or password; example: https://api.discogs.com")
    if host and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(host))):
        return text.rstrip("/")
    raise ValueError(
        f"{text!r} is neither https nor http on loopback; "
        "example: https://api.discogs.com or http://127.0.0.1:8080"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_user_name(text: str) -> str:
    """Read the name of a seller; the error never repeats a token that stands there by mistake."""
    if is_token(text):
        raise ValueError("it holds a token, and no user name; example: velvet-crates")
    return text


def parse_token(text: str) -> str:
    """Read a token; the error never repeats it."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it holds characters that no token has; example: aBcDeFgHiJkLmNoP")
    return text
