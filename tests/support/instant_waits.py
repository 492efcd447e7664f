"""Waits that take no time: a clock that moves only while somebody sleeps."""

from functools import partial
from types import SimpleNamespace

import pytest

from discosync.commands.enriching import api_lookups
from discosync.commands.syncing import from_api
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory import export


def make_waiting_instant(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have runs in this process wait for exports and retries this way; return the list of waits."""
    waits: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(waits), sleep=waits.append)
    monkeypatch.setattr(export, "time", clock)
    request = partial(export.ExportRequest, sleep=waits.append)
    monkeypatch.setattr(from_api, "ExportRequest", request)
    transport = partial(Transport, sleep=waits.append)
    for module in (from_api, api_lookups):
        monkeypatch.setattr(module, "Transport", transport)
    return waits
