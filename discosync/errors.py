"""All errors that end a run, and the exit status of each.

    class                status   what happened
    DiscosyncError            1   a bug in discosync
    ├── UsageFault            2   options contradict each other, or name something unknown
    ├── NotReady             10   a setting is missing or wrong; the schema is behind or ahead
    ├── Locked               11   another run of this seller is active
    ├── AuthRefused          12   Discogs refuses the token, or it is another user's
    ├── LimitRefused         13   a limit refuses the run
    ├── BadData              14   the snapshot is truncated, malformed or miscounted
    ├── SourceUnavailable    15   network fault, 429, 5xx, or the export is not ready
    │   ├── RateLimited      15   Discogs keeps answering 429
    │   └── RequestsUsedUp   15   the run has sent as many requests as it may
    ├── StorageFailed        16   the database or the disk failed
    ├── MigrationFailed      17   a migration of the schema failed
    │   └── BackupFailed     17   a backup could not be made, verified or restored
    ├── TimeBudgetUsedUp     18   the run took longer than `--time-budget`
    ├── Mismatch             19   export and pages disagree
    └── Stopped                   (only its two subclasses are raised)
        ├── Interrupted     130   SIGINT, usually Ctrl-C
        └── Terminated      143   SIGTERM or SIGHUP, usually a shutdown

An error says what happened (`message`) and what to do or type next (`hint`). Only `runner/` turns
one into a report, and only `cli/` ends the process. `docs/reference/` says what an operator does
about each status.
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The status a process ends with; cron and monitors rely on it, so no number is reused."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    OK_WITH_WARNINGS = 3
    CHANGES = 4
    NOT_READY = 10
    LOCKED = 11
    AUTH = 12
    LIMIT = 13
    BAD_DATA = 14
    SOURCE_UNAVAILABLE = 15
    STORAGE = 16
    MIGRATION = 17
    TIME_BUDGET = 18
    MISMATCH = 19
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_STATUS_MEANINGS = {
    ExitStatus.OK: "ok, or nothing to do",
    ExitStatus.INTERNAL: "internal: a bug, nothing was changed",
    ExitStatus.USAGE: "usage: wrong options",
    ExitStatus.OK_WITH_WARNINGS: "ok with warnings: data was written, look today",
    ExitStatus.CHANGES: "there are changes (only --dry-run --exit-code)",
    ExitStatus.NOT_READY: "not ready: settings missing, schema behind or ahead",
    ExitStatus.LOCKED: "locked: another run is at work",
    ExitStatus.AUTH: "auth: token refused, or not this seller's",
    ExitStatus.LIMIT: "limit: refused, nothing was changed",
    ExitStatus.BAD_DATA: "bad data: truncated, malformed, miscounted",
    ExitStatus.SOURCE_UNAVAILABLE: "source unavailable: network, 429, 5xx, export not ready",
    ExitStatus.STORAGE: "storage: database or disk",
    ExitStatus.MIGRATION: "backup or migration failed",
    ExitStatus.TIME_BUDGET: "time budget used up",
    ExitStatus.MISMATCH: "mismatch (compare, db checks)",
    ExitStatus.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitStatus.TERMINATED: "terminated (SIGTERM)",
}


class DiscosyncError(Exception):
    """What ends a run; `code` goes into the report and never changes."""

    exit_status = ExitStatus.INTERNAL
    default_code = "internal"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code


class UsageFault(DiscosyncError):
    """Options contradict each other, or name a seller, run or flag that is unknown."""

    exit_status = ExitStatus.USAGE
    default_code = "usage"


class NotReady(DiscosyncError):
    """A setting is missing or wrong, or the schema is behind or ahead."""

    exit_status = ExitStatus.NOT_READY
    default_code = "not_ready"


class Locked(DiscosyncError):
    """Another run of this seller is active in this database."""

    exit_status = ExitStatus.LOCKED
    default_code = "locked"


class AuthRefused(DiscosyncError):
    """Discogs refuses the token, or the token belongs to another user."""

    exit_status = ExitStatus.AUTH
    default_code = "auth"


class LimitRefused(DiscosyncError):
    """A limit refuses the run; nothing was written."""

    exit_status = ExitStatus.LIMIT
    default_code = "limit"


class BadData(DiscosyncError):
    """The snapshot is truncated, malformed or miscounted."""

    exit_status = ExitStatus.BAD_DATA
    default_code = "bad_data"


class SourceUnavailable(DiscosyncError):
    """Discogs cannot be reached, or does not answer the request."""

    exit_status = ExitStatus.SOURCE_UNAVAILABLE
    default_code = "source_unavailable"


class RateLimited(SourceUnavailable):
    """Discogs keeps answering 429; more requests would only prolong that."""

    default_code = "rate_limited"


class RequestsUsedUp(SourceUnavailable):
    """The run has sent as many requests, or spent as long on them, as it may."""

    default_code = "requests_used_up"


class StorageFailed(DiscosyncError):
    """The database or the disk failed."""

    exit_status = ExitStatus.STORAGE
    default_code = "storage"


class MigrationFailed(DiscosyncError):
    """A schema migration, or the backup before it, failed."""

    exit_status = ExitStatus.MIGRATION
    default_code = "migration"


class BackupFailed(MigrationFailed):
    """A backup could not be made, verified or restored."""

    default_code = "backup"


class TimeBudgetUsedUp(DiscosyncError):
    """The run took longer than `--time-budget`."""

    exit_status = ExitStatus.TIME_BUDGET
    default_code = "time_budget"


class Mismatch(DiscosyncError):
    """Export and pages, or two databases, hold different inventories."""

    exit_status = ExitStatus.MISMATCH
    default_code = "mismatch"


class Stopped(DiscosyncError):
    """The process was asked to end."""


class Interrupted(Stopped):
    """SIGINT, usually Ctrl-C."""

    exit_status = ExitStatus.INTERRUPTED
    default_code = "interrupted"


class Terminated(Stopped):
    """SIGTERM, usually a shutdown."""

    exit_status = ExitStatus.TERMINATED
    default_code = "terminated"
