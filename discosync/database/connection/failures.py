"""Turn what the drivers and SQLAlchemy say into our own errors, with advice."""

import sys

from discosync.errors import StorageFailed

BUSY = "database_busy"
"""The code of an error that says: another transaction was in the way, try again."""

_GAVE_WAY = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected


def storage_failed(shown: str, cause: BaseException) -> StorageFailed:
    """Say what failed in the database of this address, and what to do about it."""
    said = " ".join(str(cause).split())
    has_given_way = getattr(cause, "sqlstate", None) in _GAVE_WAY
    return StorageFailed(
        f"the database {shown} failed: {said[:300]}",
        hint=_hint(said.lower()),
        code=BUSY if has_given_way else "database",
    )


def cause_in_alchemy(exc: Exception) -> BaseException | None:
    """Give the driver's error below one of SQLAlchemy; None if SQLAlchemy did not raise it."""
    alchemy = sys.modules.get("sqlalchemy.exc")
    if alchemy is None or not isinstance(exc, alchemy.SQLAlchemyError):
        return None
    cause: BaseException = getattr(exc, "orig", None) or exc
    return cause


def _hint(said: str) -> str:
    hints = {
        "deadlock": "another program wrote the same rows: run again",
        "locked": "another program holds the database: find it, or run again later",
        "full": "free some space, then run again",
        "readonly": "mend the permissions of the file and its directory",
        "unable to open": "does the directory exist, and may this user write there?",
        "not a database": "DATABASE_URL names a file that is no SQLite database",
        "malformed": "the file is damaged: restore a backup",
        "refused": "is the server up, and DATABASE_URL right?",
        "password": "check user and password in DATABASE_URL",
    }
    advice = next((hint for word, hint in hints.items() if word in said), "look at the message")
    return f"{advice}; nothing was changed"
