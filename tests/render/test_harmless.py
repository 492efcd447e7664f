"""Texts of strangers cannot steer a terminal."""

import json

import pytest

from discosync.render.harmless import harmless, harmless_cell, harmless_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\rb\bc\x00\x0b\x0c\x7f", r"a\x0db\x08c\x00\x0b\x0c\x7f"),
        ("\x9b31m\x85\x80\x9f", r"\x9b31m\x85\x80\x9f"),
        ("\u202egnp.exe\u202c \u2066x\u2069", r"\u202egnp.exe\u202c \u2066x\u2069"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
    ],
    ids=["title", "colour", "C0", "C1", "bidi", "lines"],
)
def test_what_steers_a_terminal_is_shown(text: str, shown: str) -> None:
    """Control characters and what changes the reading order become visible escapes."""
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain Tides [LP] 'a\\b' \\x1b",
        "one\ttwo\nthree",
        "Björk – Ágætis\u00a0byrjun · ÿ¡",
        "東京 Пётр ไทย हिन्दी",
        "שלום\u200e (2001) \u200fمرحبا",
        "👩\u200d🚀 ❤\ufe0f 🏴\U000e0067\U000e007f",
        "e\u0301 \u200b\ufeff",
    ],
)
def test_text_stays(text: str) -> None:
    """All scripts, emoji, combining and direction marks, tabs and line breaks are left alone."""
    assert harmless(text) == text


def test_cell_is_one_line() -> None:
    """A tab or line break inside of a cell would be another cell or row."""
    assert harmless_cell("a\tb\n\nc\x1b") == r"a b c\x1b"


def test_json_means_the_same() -> None:
    """JSON for people escapes in its own way."""
    value = {"title": "\x1b[31m\x9b\u202e ü"}
    shown = harmless_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(shown) == value
    assert "ü" in shown
    assert not set("\x1b\x9b\u202e") & set(shown)
