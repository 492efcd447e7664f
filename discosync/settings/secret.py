"""Text that must not reach a log, a report or a traceback."""

from discosync.render.scrubbing import note_address, note_secret


class Secret:
    """Text whose `repr` is `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        # Of an address only the password is secret.
        (note_address if "://" in text else note_secret)(text)

    def reveal(self) -> str:
        """Return the text itself, for the function that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "***"
