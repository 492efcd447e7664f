"""`discosync flags`: where the flags stand, what changed them, and rolling one out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from discosync.commands.steps.flag_store import open_flags_to_read, open_flags_to_write
from discosync.commands.steps.run_flags import change_now
from discosync.core.flags import (
    Flag,
    FlagContext,
    FlagEvent,
    FlagState,
    resolve_flags,
)
from discosync.database.connection.engine import open_database
from discosync.database.flags.changes import (
    load_flag_events,
    set_flag,
)
from discosync.database.flags.states import (
    load_flag_states,
    load_has_flags,
)
from discosync.database.runs.past_runs import PastRun, load_past_runs
from discosync.database.schema.state import SchemaState, load_state
from discosync.errors import ExitStatus
from discosync.settings import (
    current_environment,
    load_settings,
)

_RUNS_LOOKED_AT = 2_000
"""How many runs count as evidence: twelve weeks of one an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagStanding:
    """One flag: as configured, as in the database, and its value for a run that began now."""

    flag: Flag
    configured: bool
    origin: str
    state: str
    value: bool
    why: str

    def to_json(self) -> dict[str, str | bool]:
        """Return it as `flags list --json` shows it."""
        return {
            "flag": self.flag.value,
            "configured": self.configured,
            "origin": self.origin,
            "state": self.state,
            "value": self.value,
            "why": self.why,
        }


def list_flags(config: Path | None, *, seller: str | None) -> list[FlagStanding]:
    """Load every flag's standing."""
    settings = load_settings(config=config, environ=current_environment())
    database = open_database(
        settings.database_url.reveal(), read_only=True, application="discosync flags"
    )
    states: Mapping[Flag, FlagState] = {}
    # Without a table of flags, before the first sync or an upgrade, the settings decide alone.
    if load_has_flags(database):
        with database.session() as session:
            states = load_flag_states(session)
    context = FlagContext(seller=seller or settings.seller or "", now=datetime.now(UTC))
    values = resolve_flags(settings.flags, states, context, asked={})
    return [
        FlagStanding(
            flag=flag,
            configured=settings.flags[flag].value,
            origin=settings.flags[flag].origin,
            state=str(states.get(flag, FlagState())),
            value=values[flag].value,
            why=values[flag].why,
        )
        for flag in Flag
    ]


def load_history(config: Path | None, flag: Flag | None) -> list[FlagEvent]:
    """Load every change of the flags, oldest first."""
    database = open_flags_to_read(config)
    if not load_has_flags(database):
        return []
    with database.session() as session:
        return load_flag_events(session, flag)


def roll_out(config: Path | None, flag: Flag, percent: int, reason: str) -> FlagEvent:
    """Switch a flag on, off, or on for a share of runs; lifts a rollback."""
    database = open_flags_to_write(config)
    with database.session(writes=True) as session:
        return set_flag(session, flag, percent, change_now(reason))


def load_evidence(config: Path | None, flag: Flag) -> list[str]:
    """Return lines on how comparisons and runs went so far, to read before switching a flag on."""
    if flag is not Flag.USE_CSV_EXPORT:
        return [f"no comparison is made for {flag.value}"]
    database = open_flags_to_read(config)
    if load_state(database) is not SchemaState.CURRENT:
        return ["there is no evidence yet: nothing was compared"]
    with database.session() as session:
        return list(render_evidence(load_past_runs(session, limit=_RUNS_LOOKED_AT)))


def render_evidence(runs: Sequence[PastRun]) -> Iterator[str]:
    """Sum up, from the newest runs, how export and pages compared and how the export did."""
    comparisons = [run for run in runs if run.command == "compare"]
    if not comparisons:
        yield "there is no evidence yet: `discosync compare --runs 24` makes some"
    else:
        apart = sum(run.exit_code == ExitStatus.MISMATCH for run in comparisons)
        yield (
            f"{len(comparisons):,} comparisons since {comparisons[-1].started_at:%Y-%m-%d %H:%M} "
            f"UTC: {len(comparisons) - apart:,} agree, {apart:,} differ; the last one, of "
            f"{comparisons[0].started_at:%Y-%m-%d %H:%M} UTC, "
            f"{'differs' if comparisons[0].exit_code == ExitStatus.MISMATCH else 'agrees'}"
        )
    exports = [run for run in runs if run.command == "sync" and run.source == "export"]
    warned = sum(run.exit_code != ExitStatus.OK for run in exports)
    yield f"{len(exports):,} of the last syncs went by export, {warned:,} of them with warnings"
