"""The error tree, and the one table from error to exit status.

    DiscosyncError            1   a bug, unless a class below says more
    ├── UsageFault            2   options that contradict each other
    ├── NotReady             10   settings missing, schema behind or ahead
    ├── Locked               11   another run is at work
    ├── AuthRefused          12   token refused, or not this seller's
    ├── LimitRefused         13   a limit says no
    ├── BadData              14   truncated, malformed, miscounted
    ├── SourceUnavailable    15   network, 429, 5xx, export not ready
    │   ├── RateLimited      15   a firm 429: asking more would make it worse
    │   └── RequestsUsedUp   15   no more requests than were allowed
    ├── StorageFailed        16   database or disk
    ├── MigrationFailed      17   a migration
    │   └── BackupFailed     17   a backup, or its verification, or a restore
    ├── TimeBudgetUsedUp     18   the run took longer than it may
    ├── Mismatch             19   two ways disagree
    └── Stopped
        ├── Interrupted     130   SIGINT
        └── Terminated      143   SIGTERM

Every error says what happened (`message`) and what to do or type next (`hint`).
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a process says when it ends; numbers are never reused."""

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
    """Anything that ends a run; `code` is stable and goes into the report."""

    exit_status = ExitStatus.INTERNAL
    default_code = "internal"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code


class UsageFault(DiscosyncError):
    """Options that contradict each other."""

    exit_status = ExitStatus.USAGE
    default_code = "usage"


class NotReady(DiscosyncError):
    """A setting is missing or wrong, or the schema is behind or ahead."""

    exit_status = ExitStatus.NOT_READY
    default_code = "not_ready"


class Locked(DiscosyncError):
    """Another run for this seller is at work in this database."""

    exit_status = ExitStatus.LOCKED
    default_code = "locked"


class AuthRefused(DiscosyncError):
    """Discogs refuses the token, or it belongs to somebody else."""

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
    """Discogs cannot be reached, or does not give what was asked for."""

    exit_status = ExitStatus.SOURCE_UNAVAILABLE
    default_code = "source_unavailable"


class RateLimited(SourceUnavailable):
    """Discogs keeps answering 429; every further request makes it worse."""

    default_code = "rate_limited"


class RequestsUsedUp(SourceUnavailable):
    """The run may not send any more requests."""

    default_code = "requests_used_up"


class StorageFailed(DiscosyncError):
    """The database or the disk does not do its part."""

    exit_status = ExitStatus.STORAGE
    default_code = "storage"


class MigrationFailed(DiscosyncError):
    """A schema migration, or the backup before it, failed."""

    exit_status = ExitStatus.MIGRATION
    default_code = "migration"


class BackupFailed(MigrationFailed):
    """A backup could not be made, is not what it should be, or could not be put back."""

    default_code = "backup"


class TimeBudgetUsedUp(DiscosyncError):
    """The run took longer than `--time-budget`."""

    exit_status = ExitStatus.TIME_BUDGET
    default_code = "time_budget"


class Mismatch(DiscosyncError):
    """Two ways to the same inventory disagree."""

    exit_status = ExitStatus.MISMATCH
    default_code = "mismatch"


class Stopped(DiscosyncError):
    """Somebody asked the process to end."""


class Interrupted(Stopped):
    """SIGINT, usually Ctrl-C."""

    exit_status = ExitStatus.INTERRUPTED
    default_code = "interrupted"


class Terminated(Stopped):
    """SIGTERM, usually a shutdown."""

    exit_status = ExitStatus.TERMINATED
    default_code = "terminated"
