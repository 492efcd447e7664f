"""Whose token it is."""

import pytest

from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.identity import fetch_username
from discosync.errors import AuthRefused, BadData
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.shop import SELLER


def test_token_belongs_to_a_user(sandbox: SandboxServer) -> None:
    """His name comes as Discogs spells it."""
    transport = Transport(base_url=sandbox.url, token=TOKEN)
    assert fetch_username(transport) == SELLER
    sandbox.state.identity = "Velvet-Crates"
    assert fetch_username(transport) == "Velvet-Crates"


def test_unknown_token_is_refused(sandbox: SandboxServer) -> None:
    """And so is none at all."""
    for token in ("another", None):
        with pytest.raises(AuthRefused, match="401"):
            fetch_username(Transport(base_url=sandbox.url, token=token))


@pytest.mark.parametrize("body", ['{"id": 2}', '{"username": null}', '{"username": ""}'])
def test_answer_without_a_name_is_bad_data(sandbox: SandboxServer, body: str) -> None:
    """It is no other user's token: nobody is told to make a new one."""
    sandbox.state.faults = [Fault(path="/oauth", body=body)]
    with pytest.raises(BadData, match="whose token"):
        fetch_username(Transport(base_url=sandbox.url, token=TOKEN))
