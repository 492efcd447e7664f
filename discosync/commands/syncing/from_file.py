"""Take the inventory from an export that the seller downloaded by hand."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from discosync.commands.syncing.fetching import Ask, Fetched, FetchOptions
from discosync.commands.syncing.mirror import Mirror
from discosync.core.inventory.pacific import parse_export_name
from discosync.core.inventory.snapshot import Source
from discosync.core.reporting.findings import Problem
from discosync.discogs.inventory.downloaded_file import load_file
from discosync.discogs.inventory.spool import Spool
from discosync.runner import Run

_log = logging.getLogger(__name__)


class FileFetcher:
    """Takes a downloaded export. A file has no witness and no fallback."""

    fallback = None

    def __init__(self, run: Run, mirror: Mirror, path: Path) -> None:
        self._run = run
        self._mirror = mirror
        self._path = path

    def fetch(self, spool: Spool) -> Fetched:
        """Bring the file onto the disk."""
        found, mirror = self._run.findings, self._mirror
        found.source, found.source_reason = Source.FILE.value, f"--from-file {_legible(self._path)}"
        _log.info("source %s: %s", found.source, found.source_reason)
        self._note_name()
        # A file names no currency: it is the one that was set, or that the last sync learnt.
        currency = mirror.settings.currency or mirror.last.currency
        snapshot = load_file(self._path, seller=mirror.seller, currency=currency, spool=spool)
        # Only with a token can Discogs be asked for the listings that the file lacks.
        has_token = mirror.settings.token is not None
        return Fetched(
            snapshot=snapshot, is_sandbox=None, asking=self._asking if has_token else None
        )

    @contextmanager
    def _asking(self, seconds: float) -> Iterator[Ask]:
        from discosync.commands.syncing.from_api import ApiFetcher  # noqa: PLC0415 - a file needs no network

        fetcher = ApiFetcher(self._run, self._mirror, FetchOptions())
        with closing(fetcher), fetcher.asking(seconds) as ask:
            # Discogs was not asked who this is: another user's token shows less of a seller.
            fetcher.check_identity()
            yield ask

    def _note_name(self) -> None:
        """Note it if Discogs named the file after another seller."""
        by_name, seller = parse_export_name(self._path.name), self._mirror.seller
        if by_name is not None and by_name[0].casefold() != seller.casefold():
            text = f"the file is named after {by_name[0]}; it is taken for {seller}'s inventory"
            problem = Problem(code="other_name", text=text, is_warning=False)
            self._run.findings.problems.append(problem)

    def close(self) -> None:
        """Do nothing: a file is closed as soon as it has been read."""


def _legible(path: Path) -> str:
    """Write a path as text that every database and JSON reader takes."""
    return str(path).encode(errors="surrogateescape").decode(errors="replace")
