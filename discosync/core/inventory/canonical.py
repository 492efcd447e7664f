"""The canonical form of a content field's value: the same for the same fact, whoever shows it.

What says nothing is alike: None, an empty text, a weight or format quantity of 0, a quantity of 1,
the catalogue number `none`, a sleeve that is "Not Graded", offers that are not accepted.
"""

import html
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_MAX_ESCAPED = 8
"""How often a text may have been escaped."""


def canonical_text(text: str | None) -> str:
    """Remove differences of form only: entities, Unicode composition, line ends, outer space."""
    if text is None:
        return ""
    # One source may write HTML entities where another shows the characters (observed, May 2026).
    if "&" in text:
        text = _unescape_all(text)
    # The same letter may be one code point or two.
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def unescape(text: str) -> str:
    """Turn HTML entities into characters, once."""
    try:
        return html.unescape(text)
    except ValueError:  # an entity of thousands of digits
        return text


def _unescape_all(text: str) -> str:
    """Unescape until nothing is left to unescape: a text and its escaped form become one."""
    for _ in range(_MAX_ESCAPED):
        before, text = text, unescape(text)
        if text == before:
            break
    return text


def _canonical_names(text: str | None) -> str:
    """Return names or numbers joined by a comma, each of them once.

    The export shows a catalogue number once that several labels have (observed, August 2026).
    """
    text = canonical_text(text)
    return ", ".join(dict.fromkeys(text.split(", "))) if ", " in text else text


def _canonical_numbers(text: str | None) -> str:
    # The catalogue writes the word where a release has no number.
    parts = _canonical_names(text).split(", ")
    return ", ".join(part for part in parts if part.casefold() != "none")


def _canonical_sleeve(text: str | None) -> str:
    text = canonical_text(text)
    return "" if text.casefold() == "not graded" else text


def _canonical_format(text: str | None) -> str:
    # The export puts the format in parentheses, the pages do not.
    text = canonical_text(text)
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text


def _canonical_decimal(number: Decimal | None) -> str:
    # 12.5 and 12.50 are one price; there is no price of minus nothing.
    if number is None:
        return ""
    text = f"{number or abs(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _canonical_weight(number: Decimal | None) -> str:
    return _canonical_decimal(number) if number else ""


def _canonical_yes_no(value: bool | None) -> str:  # noqa: FBT001 - a field's value
    return "1" if value else ""


def _canonical_number(value: int | None) -> str:
    return "" if value is None else str(value)


def _canonical_count(value: int | None) -> str:
    return str(value) if value else ""


def _canonical_quantity(value: int | None) -> str:
    # One of an item is what an inventory offers that does not say how many.
    return "" if value == 1 else _canonical_count(value)


CANONICAL_BY_FIELD: dict[str, Callable[[Any], str]] = {
    "sleeve_condition": _canonical_sleeve,
    "label_names": _canonical_names,
    "catalog_number": _canonical_numbers,
    "format_names": _canonical_format,
    "price_value": _canonical_decimal,
    "weight": _canonical_weight,
    "accept_offer": _canonical_yes_no,
    "quantity": _canonical_quantity,
    "format_quantity": _canonical_count,
    "release_id": _canonical_number,
}
"""The canonical form of a field; any other field is text."""
