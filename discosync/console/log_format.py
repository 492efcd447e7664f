"""The log as text, and as JSON, for machines that read it."""

import json
import logging

from discosync.render.harmless import harmless


class TextFormatter(logging.Formatter):
    """Lines for people; nothing in them steers a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return harmless(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        shown = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            shown["exception"] = self.formatException(record.exc_info)
        return json.dumps(shown, ensure_ascii=False)
