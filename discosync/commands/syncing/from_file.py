"""What a fetch is asked for and gives; and the way that needs no network, a file."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from discosync.core.inventory.pacific import parse_export_name
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.reporting.report import Problem
from discosync.database.rows.store import LastApplied
from discosync.discogs.inventory.downloaded_file import load_file
from discosync.discogs.inventory.spool import Spool
from discosync.errors import AuthRefused, NotReady
from discosync.runner import Run
from discosync.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """Which way to take: `source` None means the cheapest complete one."""

    from_file: Path | None = None
    source: Source | None = None
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A snapshot, and whether discosync's own sandbox gave it (None: a file does not say)."""

    snapshot: Snapshot
    is_sandbox: bool | None


class Fetcher(Protocol):
    """Brings one seller's inventory onto the disk."""

    @property
    def may_go_back(self) -> bool:
        """Whether nobody but the flag USE_CSV_EXPORT chose the export."""

    def fetch(self, seller: str, spool: Spool) -> Fetched:
        """Fetch a complete snapshot."""

    def fetch_instead(self, seller: str, spool: Spool, *, reason: str) -> Fetched:
        """Take the old way after the new one gave what cannot be trusted."""

    def count_again(self, seller: str) -> int:
        """Ask the second witness once more."""

    def close(self) -> None:
        """Close what is open."""


class FileFetcher:
    """Takes an export that the seller downloaded; it has no witness, and no other way."""

    may_go_back = False

    def __init__(self, run: Run, settings: Settings, path: Path, *, last: LastApplied) -> None:
        self._run = run
        self._settings = settings
        self._path = path
        self._last = last

    def fetch(self, seller: str, spool: Spool) -> Fetched:
        """Bring the file onto the disk."""
        reason = f"--from-file {_legible(self._path)}"
        self._run.source, self._run.source_reason = Source.FILE.value, reason
        _log.info("source %s: %s", Source.FILE.value, reason)
        self._note_name(seller)
        currency = self._settings.currency or self._last.currency
        snapshot = load_file(self._path, seller=seller, currency=currency, spool=spool)
        return Fetched(snapshot=snapshot, is_sandbox=None)

    def _note_name(self, seller: str) -> None:
        """Say that somebody named another seller than Discogs did."""
        by_name = parse_export_name(self._path.name)
        if by_name is not None and by_name[0].casefold() != seller.casefold():
            text = f"by its name the file is {by_name[0]}'s, and is taken for {seller}'s"
            self._run.problems.append(Problem(code="other_name", text=text, is_warning=False))

    def fetch_instead(self, seller: str, spool: Spool, *, reason: str) -> Fetched:
        """Never called: see `may_go_back`."""
        raise NotImplementedError

    def count_again(self, seller: str) -> int:
        """Never called: a file has no witness."""
        raise NotImplementedError

    def close(self) -> None:
        """Have nothing to close."""


def _legible(path: Path) -> str:
    """Write a path as text that every database and JSON reader takes."""
    return str(path).encode(errors="surrogateescape").decode(errors="replace")


def seller_of(settings: Settings, options: FetchOptions, *, named: str | None) -> str:
    """Say whose inventory is meant: `--seller`, the setting, or a file's own name.

    Raises `NotReady` when nobody says, `AuthRefused` when a file is named after somebody else
    than the setting.
    """
    by_name = parse_export_name(options.from_file.name) if options.from_file else None
    seller = named or settings.seller or (by_name[0] if by_name else None)
    if seller is None:
        raise NotReady(
            "there is no seller",
            hint="set DISCOGS_USERNAME to the seller's Discogs user name, or use --seller",
            code="no_seller",
        )
    if named is None and by_name is not None and by_name[0].casefold() != seller.casefold():
        raise AuthRefused(
            f"the file is an export of {by_name[0]!r}, the seller is {seller!r}",
            hint=f"add --seller {by_name[0]} if it is that shop's, or --seller {seller} if the "
            "name is wrong",
            code="not_this_seller",
        )
    return seller
