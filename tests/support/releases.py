"""Releases as the API answers them, made up, and a sandbox that gives them."""

import json
from typing import Any

from discosync.sandbox.state import Fault, SandboxState

FIRST_RELEASE = 500_000
"""The release of the first listing that `make_shop` makes; the others follow."""


def artist(number: int, name: str, **more: str) -> dict[str, Any]:
    """Make an artist's credit."""
    return {"id": number, "name": name, "anv": "", "join": "", "role": "", "tracks": "", **more}


def label(number: int, name: str, catno: str = "none") -> dict[str, Any]:
    """Make a label's credit."""
    return {"id": number, "name": name, "catno": catno, "entity_type": "1"}


def release(
    number: int, artists: list[dict[str, Any]], labels: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """Make an answer of `GET /releases/{id}`."""
    return {"id": number, "title": "Plain Tides", "artists": artists, "labels": labels, **more}


def answer(state: SandboxState, number: int, body: dict[str, Any] | str, **more: Any) -> None:
    """Have the sandbox answer for one release, whether a listing shows it or not."""
    text = body if isinstance(body, str) else json.dumps(body)
    more = {"status": 200, "times": 10_000, **more}
    state.faults.append(Fault(path=f"/releases/{number}", body=text, **more))


def asked(state: SandboxState) -> list[int]:
    """Which releases were asked for, in order."""
    paths = [request.partition(" ")[2] for request in state.requests]
    return [int(p.removeprefix("/releases/")) for p in paths if p.startswith("/releases/")]
