"""Releases are looked up one by one; a bad one is told from Discogs' own trouble."""

from collections.abc import Iterator

import pytest

from discosync.core.catalog.enrichment import Outcome
from discosync.discogs.catalog.releases import look_up_releases
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.errors import AuthRefused, BadData, RateLimited, RequestsUsedUp, SourceUnavailable
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.releases import FIRST_RELEASE, answer, artist, asked, label, release
from tests.support.shop import NOON

IDS = [FIRST_RELEASE + number for number in range(6)]


@pytest.fixture
def transport(sandbox: SandboxServer) -> Iterator[Transport]:
    """A way to the sandbox that tries each request once."""
    opened = Transport(base_url=sandbox.url, token=TOKEN, patience=Patience(attempts=1))
    yield opened
    opened.close()


def _outcomes(transport: Transport, ids: list[int]) -> list[tuple[int, Outcome]]:
    return [(x.release_id, x.outcome) for x in look_up_releases(transport, ids, now=NOON)]


def test_each_release_costs_one_request(sandbox: SandboxServer, transport: Transport) -> None:
    """They come in order, with their credits."""
    lookups = list(look_up_releases(transport, IDS, now=NOON))
    assert [lookup.release_id for lookup in lookups] == IDS == asked(sandbox.state)
    assert all(x.credits is not None and x.looked_up_at == NOON for x in lookups)


def test_what_came_of_it(sandbox: SandboxServer, transport: Transport) -> None:
    """Found, empty when nobody is credited, not found, and unreadable when a later one is not."""
    answer(sandbox.state, IDS[1], release(IDS[1], [], []))
    answer(sandbox.state, IDS[2], '{"message": "Release not found."}', status=404)
    answer(sandbox.state, IDS[3], '{"id": "x"}')
    assert _outcomes(transport, IDS[:5]) == [
        (IDS[0], Outcome.FOUND),
        (IDS[1], Outcome.EMPTY),
        (IDS[2], Outcome.NOT_FOUND),
        (IDS[3], Outcome.UNREADABLE),
        (IDS[4], Outcome.FOUND),
    ]


def test_merged_release_keeps_the_number_that_was_asked_for(
    sandbox: SandboxServer, transport: Transport
) -> None:
    """Discogs answers with the new number; the listings have the old one."""
    answer(sandbox.state, IDS[0], release(99, [artist(5, "Nova")], [label(6, "Orchard")]))
    (lookup,) = look_up_releases(transport, IDS[:1], now=NOON)
    assert lookup.credits is not None
    assert lookup.release_id == lookup.credits.release_id == IDS[0]


def test_three_bad_ones_in_a_row_are_discogs_trouble(
    sandbox: SandboxServer, transport: Transport
) -> None:
    """Then none of the three is handed on as unreadable: they are asked for again another time."""
    for number in IDS[1:4]:
        answer(sandbox.state, number, '{"message": "no"}', status=503)
    lookups = look_up_releases(transport, IDS, now=NOON)
    assert next(lookups).release_id == IDS[0]
    with pytest.raises(SourceUnavailable):
        next(lookups)
    assert asked(sandbox.state) == IDS[:4]


@pytest.mark.parametrize("count", [1, 2])
def test_short_list_of_bad_ones_is_discogs_trouble_too(
    sandbox: SandboxServer, transport: Transport, count: int
) -> None:
    """When not a single one was readable, nothing says that it is the releases' fault."""
    for number in IDS[:count]:
        answer(sandbox.state, number, "<html>")
    with pytest.raises(BadData):
        _outcomes(transport, IDS[:count])


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (401, AuthRefused)])
def test_refusal_ends_it_at_once(
    sandbox: SandboxServer, transport: Transport, status: int, error: type[Exception]
) -> None:
    """More requests would make it worse, or be refused as well."""
    sandbox.state.faults = [Fault(path="/releases", status=status, times=9)]
    with pytest.raises(error):
        _outcomes(transport, IDS)
    assert len(asked(sandbox.state)) == 1


def test_used_up_requests_end_it_at_once(transport: Transport) -> None:
    """What was looked up before has been handed on."""
    transport.max_requests = 2
    lookups = look_up_releases(transport, IDS, now=NOON)
    assert [next(lookups).release_id, next(lookups).release_id] == IDS[:2]
    with pytest.raises(RequestsUsedUp):
        next(lookups)
