"""What a run finds out: its story fills this value step by step, and the report takes it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from discosync.core.flags import Flag, FlagValue
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.report_parts import ArchiveUse, ListingCounts

if TYPE_CHECKING:
    from discosync.core.catalog.enrichment import EnrichmentUse
    from discosync.core.planning.absence import AbsenceCounts
    from discosync.core.planning.drift import SlowCheck
    from discosync.core.reporting.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something a person should know; a warning makes the exit status 3, a notice does not."""

    code: str
    text: str
    is_warning: bool = True
    line: int | None = None
    listing_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Findings:
    """Everything that a run has found out so far.

    `seller` is None until it is clear whose listings are meant: a run may fail before. `changes`
    is None where nobody asked for a list of all changes, `absence` where the snapshot lacks no
    active listing. `highlights`, `advice`, `database_variable` and `config_option` are for people,
    and not in the JSON report.
    """

    seller: str | None = None
    database: str = ""
    source: str | None = None
    source_reason: str | None = None
    fallback_from: str | None = None
    flags: dict[Flag, FlagValue] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    columns: tuple[str, ...] = ()
    listings: ListingCounts = field(default_factory=ListingCounts)
    absence: "AbsenceCounts | None" = None
    has_changes: bool = False
    changes: tuple[ChangeEntry, ...] | None = None
    inventory_value: dict[str, dict[str, Any]] | None = None
    price_changes: dict[str, dict[str, Any]] | None = None
    slow_check: "SlowCheck | None" = None
    comparison: "Comparison | None" = None
    archive: ArchiveUse | None = None
    enrichment: "EnrichmentUse | None" = None
    problems: list[Problem] = field(default_factory=list)
    highlights: tuple[ChangeEntry, ...] = ()
    advice: str = ""
    database_variable: str = ""
    config_option: str = ""

    @property
    def has_warnings(self) -> bool:
        """Whether one of the problems is a warning."""
        return any(problem.is_warning for problem in self.problems)

    def as_it_stands(self) -> "Findings":
        """Return a copy, which later findings do not change."""
        # The report is also written in the middle of a run, whose story goes on adding to these.
        return replace(self, problems=[*self.problems], flags={**self.flags})
