"""Who holds a lock on Postgres that a statement of ours waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOCK_SECONDS = 30
"""How long a statement waits for another program's lock, unless the server is set otherwise.

As long as SQLite's write lock is waited for.
"""

MIGRATION_LOCK_SECONDS = 10
"""The same for a migration: while it waits, whoever wants to read waits behind it."""

# Only the first in the way: who waits itself, for example behind our own wish, holds up nobody.
_WAITED_FOR = """
WITH RECURSIVE chain (pid) AS (
  SELECT unnest(pg_blocking_pids(%(pid)s))
  UNION SELECT unnest(pg_blocking_pids(chain.pid)) FROM chain
), found AS (SELECT pid FROM chain WHERE cardinality(pg_blocking_pids(pid)) = 0)
"""

_HOLDING = """
WITH found AS (
  SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'relation' AND granted
    AND relation IN (SELECT to_regclass(unnest(CAST(%(tables)s AS text[]))))
    AND pid <> pg_backend_pid()
    AND (mode = 'AccessExclusiveLock' OR %(any_mode)s)
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

# Of the statement only its first word: the rest may hold anything.
_DESCRIBED = """
SELECT found.pid, a.application_name, a.usename, a.xact_start, a.state,
  upper(substring(a.query from '^\\s*([A-Za-z]+)'))
FROM found LEFT JOIN pg_stat_activity a USING (pid) ORDER BY a.xact_start NULLS LAST LIMIT 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A process of the server whose transaction is in the way; `pid` 0 is a prepared one."""

    pid: int
    application: str = ""
    user: str = ""
    since: datetime | None = None
    state: str = ""
    statement: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction, see pg_prepared_xacts"
        since = f"{self.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self.since else ""
        parts = (
            self.application,
            self.user and f"user {self.user}",
            since and f"in a transaction since {since}",
            self.state,
            self.statement and f"last statement {self.statement}",
        )
        return f"server process {self.pid} ({', '.join(part for part in parts if part)})"

    @property
    def way_out(self) -> str:
        """Say what to type to end it."""
        if not self.pid:
            return "end it with `ROLLBACK PREPARED '<its gid>'`"
        return f"let it finish, or end it with `SELECT pg_terminate_backend({self.pid})`"


def load_blockers(connection: Any, pid: int) -> tuple[Blocker, ...]:  # noqa: ANN401 - psycopg's
    """Find who holds what a process of the server waits for; the longest at it comes first."""
    rows = connection.execute((_WAITED_FOR + _DESCRIBED).encode(), {"pid": pid})
    return tuple(map(_blocker, rows))


def load_lock_holders(
    connection: Any,  # noqa: ANN401 - psycopg's
    tables: Sequence[str],
    *,
    alone_only: bool,
) -> tuple[Blocker, ...]:
    """Find who else has locked these tables, or only who has them alone."""
    values = {"tables": list(tables), "any_mode": not alone_only}
    return tuple(map(_blocker, connection.execute((_HOLDING + _DESCRIBED).encode(), values)))


def _blocker(row: Sequence[Any]) -> Blocker:
    pid, application, user, since, state, statement = row
    return Blocker(
        pid=pid,
        application=application or "",
        user=user or "",
        since=since,
        # Postgres shows another role's state and statement to few.
        state=state or "",
        statement=statement or "",
    )
