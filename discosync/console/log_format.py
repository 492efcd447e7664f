"""The log on stderr as text, or as JSON for programs."""

import json
import logging

from discosync.render.harmless import harmless
from discosync.render.scrubbing import hide_json


class TextFormatter(logging.Formatter):
    """Text lines without control characters, which could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        return harmless(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        shown = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            shown["exception"] = self.formatException(record.exc_info)
        return hide_json(json.dumps(shown, ensure_ascii=False))
