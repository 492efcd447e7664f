"""Whether a SQLite file holds together; a Postgres server looks after its own pages."""

import sqlite3
from contextlib import closing
from pathlib import Path

_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}


def find_damage(path: Path, *, thoroughly: bool = False) -> str | None:
    """Read every page of a file; return what SQLite finds wrong with it, None if nothing is.

    With `thoroughly` the indexes are compared with their tables, too, which takes longer. Raises
    `sqlite3.Error` for a file that cannot be looked at.
    """
    check = "integrity_check" if thoroughly else "quick_check"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            verdict = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.DatabaseError as exc:
        if not any(exc.sqlite_errorname.startswith(name) for name in _DAMAGED):
            raise
        return str(exc)
    return None if verdict == "ok" else " ".join(verdict.split())[:200]
