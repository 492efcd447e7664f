"""A clock for whoever waits for an export: it moves only while somebody sleeps."""

from functools import partial
from types import SimpleNamespace

import pytest

from discosync.commands.syncing import from_api
from discosync.discogs.inventory import export


def make_waiting_instant(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have runs in this process wait for exports on such a clock; return the list of waits."""
    waits: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(waits), sleep=waits.append)
    monkeypatch.setattr(export, "time", clock)
    request = partial(export.ExportRequest, sleep=clock.sleep)
    monkeypatch.setattr(from_api, "ExportRequest", request)
    return waits
