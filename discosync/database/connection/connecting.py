"""Open connections to SQLite, for both ways to the database; keep connections for later use."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from discosync.database.connection.journal import use_best_journal
from discosync.database.connection.values import render_stamp
from discosync.files.making import GROUP_FILE, make_file

_BUSY_SECONDS = 30.0
_BUSY_STEP_SECONDS = 0.2


@dataclass(slots=True)
class KeptConnections:
    """Connections that sessions use one after the other, while `is_wanted`."""

    is_wanted: bool = False
    idle: list[Any] = field(default_factory=list)


def connect_sqlite(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a SQLite file."""
    _adapt_values()
    if not read_only and not path.exists():
        # SQLite would make it readable by everybody; where that fails, it says why.
        with suppress(OSError):
            make_file(path, GROUP_FILE)
    uri = f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}"
    # The driver's own transactions do not include CREATE and ALTER: we begin them ourselves.
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_STEP_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _adapt_values() -> None:
    """Have the driver write money and times as SQLAlchemy's own types do."""
    sqlite3.register_adapter(Decimal, float)
    sqlite3.register_adapter(datetime, render_stamp)


def begin_immediate(execute: Callable[[str], Any]) -> None:
    """Begin a transaction that writes, and wait for SQLite's write lock up to 30 seconds.

    The waiting is done here: inside SQLite no signal would be heard.

    A deferred transaction that reads first fails at once, whatever the timeout, when somebody else
    wrote meanwhile.
    """
    gives_up_at = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            # Only a run that writes changes the file: one that is refused leaves it as it is.
            use_best_journal(execute)
            execute("BEGIN IMMEDIATE")
        except Exception as exc:
            said = getattr(exc, "orig", exc)
            is_busy = getattr(said, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not is_busy or time.monotonic() >= gives_up_at:
                raise
            time.sleep(_BUSY_STEP_SECONDS)
        else:
            return
