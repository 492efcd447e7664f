"""Text in a CSV for people: no spreadsheet runs it as a formula, and it reads back exactly.

A cell that begins with one of = + - @, a tab or a carriage return gets an apostrophe in front, and
so does one that has apostrophes in front of these. Reading takes one apostrophe away again.
"""

import re

_RUNS = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guard(text: str) -> str:
    """Put an apostrophe in front of what a spreadsheet would run."""
    return f"'{text}" if _RUNS.match(text) else text


def unguard(text: str) -> str:
    """Return the text that was guarded."""
    return text[1:] if _GUARDED.match(text) else text
