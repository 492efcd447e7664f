r"""A seller's words on a terminal: none of their characters may control it.

A title may hold an escape sequence that renames the window or hides a line, or marks that turn the
reading order around. They are shown as what they are, `\x1b` say. Tabs, line breaks, all scripts
and emoji stay.
"""

import re

from discosync.render.scrubbing import hide, hide_json

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_LINE_BREAKS = "\u2028\u2029"
_ORDER_CHANGES = "\u202a-\u202e\u2066-\u2069"
_STEERING = re.compile(f"[{_CONTROLS}{_LINE_BREAKS}{_ORDER_CHANGES}]")
_LAYOUT = re.compile(r"[\t\n]+")


def harmless(text: str) -> str:
    """Replace characters that control a terminal with escapes; tabs and line breaks stay.

    Secrets are hidden, too: every text for people passes here.
    """
    return _STEERING.sub(_escape, hide(text))


def harmless_cell(text: str) -> str:
    """Replace tabs and line breaks too: in a table they would start another cell or row."""
    return _LAYOUT.sub(" ", harmless(text))


def harmless_json(text: str) -> str:
    """Replace control characters in JSON with JSON escapes, so that its meaning stays the same."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", hide_json(text))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
