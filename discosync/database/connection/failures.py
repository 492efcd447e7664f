"""Turn what the drivers and SQLAlchemy say into our own errors, with advice."""

import sys

from discosync.errors import StorageFailed

BUSY = "database_busy"
"""The code of an error that says: another transaction was in the way, try again."""

COMMIT_UNKNOWN = "commit_unknown"
"""The code of an error that says: nobody knows whether the commit took place."""

DAMAGED = "damaged"
"""The code of an error that says: pages of the database's file are not what they should be."""

_MALFORMED = "malformed"
_NO_WAL = (
    "the file is in SQLite's WAL mode, and the file system there has no shared memory, which WAL "
    "needs: put it on a local disk; or, while no other program uses it, take it out of that mode: "
    "`sqlite3 FILE 'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE'`; nothing was "
    "changed"
)
_GAVE_WAY = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected


def storage_failed(shown: str, cause: BaseException) -> StorageFailed:
    """Say what failed in the database of this address, and what to do about it."""
    said = " ".join(str(cause).split())
    has_given_way = getattr(cause, "sqlstate", None) in _GAVE_WAY
    return StorageFailed(
        f"the database {shown} failed: {said[:300]}",
        hint=_hint(said.lower(), getattr(cause, "sqlite_errorname", "")),
        code=BUSY if has_given_way else DAMAGED if _MALFORMED in said.lower() else "database",
    )


def cause_in_alchemy(exc: Exception) -> BaseException | None:
    """Give the driver's error below one of SQLAlchemy; None if SQLAlchemy did not raise it."""
    alchemy = sys.modules.get("sqlalchemy.exc")
    if alchemy is None or not isinstance(exc, alchemy.SQLAlchemyError):
        return None
    cause: BaseException = getattr(exc, "orig", None) or exc
    return cause


def _hint(said: str, name: str) -> str:
    if name.startswith("SQLITE_IOERR_SHM"):
        return _NO_WAL
    hints = {
        "deadlock": "another program wrote the same rows: run again",
        "locked": "another program holds the database: find it, or run again later",
        "full": "the disk is full, or this user's quota: free some space, then run again",
        "disk i/o": "the disk, or the way to it, fails or is full: look at the system's log "
        "(`dmesg`) and at the space that is left, and see that there is a backup elsewhere",
        "readonly": "mend the permissions of the file and its directory",
        "unable to open": "does the directory exist, and may this user write there?",
        "not a database": "DATABASE_URL names a file that is no SQLite database",
        _MALFORMED: "the file is damaged: `discosync db list` shows its backups, and `discosync db "
        "restore FILE` puts one back",
        "refused": "is the server up, and DATABASE_URL right?",
        "password": "check user and password in DATABASE_URL",
    }
    advice = next((hint for word, hint in hints.items() if word in said), "look at the message")
    return f"{advice}; nothing was changed"
