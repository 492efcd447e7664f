"""Hide the token and passwords in whatever goes out: screen, log, report, record of a run.

Whoever reads a secret notes it here. Discogs, a proxy or a library may repeat it in an error, as it
is or encoded, and people put it into the wrong variable: so every text is looked through where it
goes out, and no message needs to think of it.
"""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"

_MIN_LENGTH = 8
"""A shorter secret is only hidden within an address: it may be a word of any sentence."""

_MAX_LOOKED_AT = 1 << 20
"""A longer text is a list of changes. What only looks like a token is not looked for there."""

# Our own examples say `user:password@host`.
_IN_ADDRESS = re.compile(r"(://[^\s/@:\"']*):(?!password@)([^\s\"']*)@")
_USER_AND_PASSWORD = re.compile(r"([^\s/@:]*):(\S*)@")
_LIKE_A_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{40}(?![A-Za-z0-9])")
_NOT_IN_A_KEY = r'(?![^"\\]*"\s*:)'
_HARMLESS = frozenset({"sandbox-token"})

_noted: set[str] = set()


def note_secret(text: str) -> None:
    """Hide a text from now on, in every form in which it may be repeated."""
    if len(text) >= _MIN_LENGTH and text not in _HARMLESS and text not in _noted:
        _noted.add(text)
        _pattern.cache_clear()


def note_address(text: str) -> None:
    """Hide the password of an address from now on; an address without one has nothing to hide."""
    found = _USER_AND_PASSWORD.match(text.partition("://")[2] or text)
    if found is None:
        return
    user, password = found.groups()
    for known in {password, unquote(password)}:
        # `shop:shop` hides in the address only, or the shop's name would be gone everywhere.
        if known not in {user, unquote(user)}:
            note_secret(known)
        note_secret(base64.b64encode(f"{unquote(user)}:{known}".encode()).decode().rstrip("="))


def hide(text: str) -> str:
    """Return the text without any secret."""
    return _hide(text, is_json=False)


def hide_json(text: str) -> str:
    """Return JSON without any secret in its values.

    Its keys stay: whoever has chosen `listings` as a password can still read a report.
    """
    return _hide(text, is_json=True)


def _hide(text: str, *, is_json: bool) -> str:
    if "://" in text:
        text = _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text)
    if _noted:
        text = _pattern(is_json=is_json).sub(HIDDEN, text)
    if len(text) <= _MAX_LOOKED_AT:
        text = _LIKE_A_TOKEN.sub(HIDDEN, text)
    return text


def is_token(text: str) -> bool:
    """Whether a text is a secret, or looks like a token of Discogs."""
    return text in _noted or _LIKE_A_TOKEN.fullmatch(text) is not None


@cache
def _pattern(*, is_json: bool) -> re.Pattern[str]:
    forms = {form for secret in _noted for form in _forms_of(secret)}
    # The longest first: a form may begin with another one.
    found = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    return re.compile(f"(?:{found}){_NOT_IN_A_KEY if is_json else ''}")


def _forms_of(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield "".join(f"%{byte:02X}" for byte in secret.encode(errors="surrogateescape"))
    yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1])
    encoded = base64.b64encode(secret.encode(errors="surrogateescape")).decode().rstrip("=")
    yield from (encoded, encoded.replace("+", "-").replace("/", "_"))
