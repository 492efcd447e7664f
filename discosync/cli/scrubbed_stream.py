"""Stderr without secrets: also mistakes that Typer tells, and the traceback of a bug."""

from typing import Any, TextIO


class ScrubbedStream:
    """Hides secrets in whatever is written to a stream; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._knows_environment = False

    def write(self, text: str) -> int:
        """Write a text without the secrets that were read, or that the environment holds."""
        from discosync.render.scrubbing import hide  # noqa: PLC0415 - a quiet run writes nothing

        if not self._knows_environment:
            from discosync.settings import current_environment  # noqa: PLC0415 - as above
            from discosync.settings.layers import note_secrets  # noqa: PLC0415 - as above

            self._knows_environment = True
            note_secrets(current_environment())
        self._stream.write(hide(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)
