"""The log as text and as JSON."""

import json
import logging
import sys

from discosync.console.log_format import JsonFormatter, TextFormatter

EVIL = "title \x1b[31m\nnext"


def _record(*, is_failure: bool = False) -> logging.LogRecord:
    fault = None
    if is_failure:
        try:
            int("why")
        except ValueError:
            fault = sys.exc_info()
    return logging.LogRecord("discosync.x", logging.WARNING, "x.py", 1, "%s", (EVIL,), fault)


def test_text_cannot_control_a_terminal() -> None:
    """A seller's words reach the log as what they are."""
    assert TextFormatter("%(message)s").format(_record()) == "title \\x1b[31m\nnext"


def test_json_is_one_line_a_record() -> None:
    """A line break of a message does not end the record."""
    line = JsonFormatter().format(_record())
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["logger"], read["message"]) == ("warning", "discosync.x", EVIL)
    assert "exception" not in read


def test_json_holds_the_traceback() -> None:
    """A failure is told with where it came from."""
    assert (
        "ValueError: invalid literal"
        in json.loads(JsonFormatter().format(_record(is_failure=True)))["exception"]
    )
