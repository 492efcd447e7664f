"""Flags: which way of working a run takes, and why.

A flag is on for a run when the settings say on, nobody has rolled it back, and the run is within
the share for which the flag is rolled out. An option on the command line overrides all three, for
that run.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

BUCKETS = 100
_PERCENT = re.compile(r"([0-9]{1,3})%")


class Flag(StrEnum):
    """A switch for one way of working; off is always the older, simpler way."""

    USE_CSV_EXPORT = "USE_CSV_EXPORT"
    USE_CONTENT_HASH = "USE_CONTENT_HASH"
    USE_CACHE = "USE_CACHE"
    ENABLE_ARTIST_ENRICHMENT = "ENABLE_ARTIST_ENRICHMENT"


def parse_flag(text: str) -> Flag:
    """Parse `use-csv-export` or `USE_CSV_EXPORT`; raise `ValueError` that lists all flags."""
    try:
        return Flag(text.strip().upper().replace("-", "_"))
    except ValueError:
        known = ", ".join(flag.value for flag in Flag)
        raise ValueError(f"{text!r} is not a flag; the flags are {known}") from None


def parse_rollout(text: str) -> int:
    """Parse `on`, `off` or `N%` into a percentage, 0 to 100; raise `ValueError` otherwise."""
    word = text.strip().lower()
    if word in {"on", "off"}:
        return 100 if word == "on" else 0
    match = _PERCENT.fullmatch(word)
    if match is None or int(match[1]) > 100:
        raise ValueError(
            f"{text!r} is neither on, off nor a whole percentage from 0% to 100%; example: 25%"
        )
    return int(match[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChange:
    """Who changes a flag, when and why; `run_id` if a run does it by itself."""

    changed_at: datetime
    changed_by: str
    reason: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagState:
    """What the database holds of a flag: `percent` of runs that are on, and who rolled it back."""

    percent: int = 100
    rolled_back: FlagChange | None = None

    def __str__(self) -> str:
        if self.rolled_back is not None:
            return "rolled back"
        return {0: "off", 100: "on"}.get(self.percent, f"{self.percent}%")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagEvent:
    """One change of a flag in the past; `run_id` if a run made it by itself."""

    flag: str
    changed_at: datetime
    changed_by: str
    state_before: str
    state_after: str
    reason: str
    run_id: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return it as `flags history --json` shows it."""
        return {
            "flag": self.flag,
            "when": f"{self.changed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "who": self.changed_by,
            "from": self.state_before,
            "to": self.state_after,
            "reason": self.reason,
            "run": self.run_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagValue:
    """Whether a flag is on for a run, and why."""

    value: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSetting:
    """How a flag is set, and where: `default`, `environment`, a file."""

    value: bool
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagContext:
    """Whose run it is, and when: both decide about a rollout by percentage."""

    seller: str
    now: datetime

    @property
    def hour(self) -> str:
        """The UTC hour of the run, such as `2026-03-02T09`: a rollout decides anew each hour."""
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H}"


def bucket_of(flag: Flag, context: FlagContext) -> int:
    """Return the bucket of flag, seller and UTC hour, 0 to 99; a rollout of N% has the first N.

    Never change this, not even to remove its bias of 10^-17: every rollout would be dealt anew.
    """
    key = f"{flag.value}\n{context.seller.casefold()}\n{context.hour}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % BUCKETS


def resolve_flags(
    settings: Mapping[Flag, FlagSetting],
    states: Mapping[Flag, FlagState] | None,
    context: FlagContext,
    *,
    asked: Mapping[Flag, FlagValue],
) -> dict[Flag, FlagValue]:
    """Decide about every flag for one run; `states` is None if the database could not be read.

    `asked` holds the flags that an option on the command line sets.
    """
    return {
        flag: asked[flag] if flag in asked else _resolve(flag, settings[flag], states, context)
        for flag in Flag
    }


def _resolve(
    flag: Flag,
    setting: FlagSetting,
    states: Mapping[Flag, FlagState] | None,
    context: FlagContext,
) -> FlagValue:
    # The settings go first: they are the way to switch a flag off without any database.
    if not setting.value:
        return FlagValue(value=False, why=setting.origin)
    # It may have been rolled back: without the database, the older way is the safe one.
    if states is None:
        return FlagValue(value=False, why="the flags in the database cannot be read")
    state = states.get(flag, FlagState())
    if state.rolled_back is not None:
        by = state.rolled_back
        return FlagValue(
            value=False,
            why=f"rolled back {by.changed_at:%Y-%m-%d %H:%M} UTC by {by.changed_by}: {by.reason}",
        )
    if state.percent == 100:
        return FlagValue(value=True, why=setting.origin)
    if state.percent == 0:
        return FlagValue(value=False, why="switched off with `flags set`")
    bucket = bucket_of(flag, context)
    return FlagValue(
        value=bucket < state.percent,
        why=f"rolled out to {state.percent}%, bucket {bucket} of {context.seller} at "
        f"{context.hour}",
    )
