"""Discogs' answers as they were recorded, replayed through the real client, one test an endpoint.

`--record-cassettes` on the command line of pytest records the hour by export anew, from the
sandbox. The other cassettes are made up in the shapes of recorded answers.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from discosync.core.catalog.credits import ArtistCredit, LabelCredit
from discosync.core.catalog.enrichment import Outcome
from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import Listing, content_hash
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.absence import Verdict
from discosync.core.progress import NoProgress
from discosync.discogs.catalog.releases import look_up_releases
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export import ExportRequest, fetch_export
from discosync.discogs.inventory.export_job import fetch_job, fetch_newest_job
from discosync.discogs.inventory.identity import fetch_username
from discosync.discogs.inventory.lookups import look_up_listing
from discosync.discogs.inventory.pages import (
    FirstPage,
    PagesRequest,
    fetch_first_page,
    fetch_pages,
)
from discosync.discogs.inventory.spool import Spool
from discosync.errors import (
    AuthRefused,
    BadData,
    DiscosyncError,
    NotReady,
    RateLimited,
    SourceUnavailable,
)
from discosync.files.snapshot import open_snapshot
from discosync.sandbox.server import serving
from discosync.sandbox.state import SandboxState
from tests.support.cassettes import RECORDER, TOP, cassettes, replaying, secrets_of
from tests.support.program import TOKEN
from tests.support.shop import NOON, SELLER, make_shop

PORT = 47_615
"""The address is part of a recording."""

FIRST_LISTING = 4_400_210_001
ASKED_AT = datetime(2026, 11, 10, 9, 15, tzinfo=UTC)


def test_identity_names_the_owner_of_the_token() -> None:
    """`GET /oauth/identity` answers 200 with his name."""
    with replaying("identity/own_token") as transport:
        assert fetch_username(transport) == SELLER


def test_identity_refuses_an_unknown_token() -> None:
    """It answers 401, and the message says where to get another token."""
    with (
        replaying("identity/refused_token") as transport,
        pytest.raises(AuthRefused, match=r"401: You must authenticate") as refused,
    ):
        fetch_username(transport)
    assert "DISCOGS_TOKEN" in refused.value.hint


def _walk(transport: Transport, directory: Path, *, is_owner: bool) -> Snapshot:
    request = PagesRequest(
        seller=SELLER,
        first=fetch_first_page(transport, SELLER),
        spool=_spool(directory),
        is_owner=is_owner,
        progress=NoProgress(),
    )
    return fetch_pages(transport, request)


def _spool(directory: Path) -> Spool:
    spool = Spool(directory / "spool")
    spool.prepare()
    return spool


def _listings(snapshot: Snapshot) -> list[Listing]:
    with open_snapshot(snapshot) as opened:
        records = list(opened.records)
    assert not [record for record in records if isinstance(record, RejectedRecord)]
    return [record for record in records if isinstance(record, Listing)]


def test_owner_sees_his_private_fields(tmp_path: Path) -> None:
    """His own price counts, a comment is kept as it came, and a year of 0 is no year."""
    with replaying("inventory/owner") as transport:
        snapshot = _walk(transport, tmp_path, is_owner=True)

    first, second, third = _listings(snapshot)
    assert (snapshot.expected_items, snapshot.currency) == (3, "EUR")
    assert (first.listing_id, first.release_id) == (FIRST_LISTING, 31_200_001)
    assert first.comments == "Sleeve&#39;s corner is bent; &#34;promo&#34; stamp."
    assert (first.external_id, first.location) == ("BOX-01", "031")
    assert first.weight == Decimal(230)
    assert (first.release_year, second.release_year) == (1983, None)
    assert (second.accept_offer, second.artist_names) == (True, "The Paper Signals (2)")
    assert (third.price_value, third.release_title) == (Decimal("1099.95"), "Späte Züge")
    assert third.posted == datetime(2026, 11, 3, 16, 13, tzinfo=UTC)


def test_anybody_else_sees_no_private_fields(tmp_path: Path) -> None:
    """Without a token the fields are absent: they are unknown, not empty."""
    with replaying("inventory/anonymous", token=None) as transport:
        snapshot = _walk(transport, tmp_path, is_owner=False)

    first, third = _listings(snapshot)
    assert (first.listing_id, third.listing_id) == (FIRST_LISTING, FIRST_LISTING + 2)
    assert {first.external_id, first.location, first.weight, first.quantity} == {None}
    assert {"external_id", "location", "weight", "quantity"} <= set(snapshot.hidden)


def test_empty_inventory_is_one_page_of_nothing() -> None:
    """Discogs counts no listing and one page."""
    with replaying("inventory/empty") as transport:
        page = fetch_first_page(transport, SELLER).page
    assert (page.items, page.pages, page.records, page.currency) == (0, 1, (), None)


def test_unknown_seller_is_named() -> None:
    """A 404 on the first page says that there is no such user."""
    with (
        replaying("inventory/unknown_user") as transport,
        pytest.raises(NotReady, match="no-such-crates") as unknown,
    ):
        fetch_first_page(transport, "no-such-crates")
    assert unknown.value.code == "unknown_seller"


def test_pages_above_100_are_the_owners() -> None:
    """Anybody else gets 403, which is final; a walk without a token does not ask for them."""
    params: dict[str, str | int] = {
        "status": "For Sale",
        "sort": "listed",
        "sort_order": "asc",
        "per_page": 100,
        "page": 101,
    }
    with (
        replaying("inventory/page_above_100", token=None) as transport,
        pytest.raises(AuthRefused, match="Pagination above 100 disabled") as refused,
    ):
        transport.get_json(f"/users/{SELLER}/inventory", params)
    assert refused.value.code == "forbidden"


def _export(transport: Transport, directory: Path, **more: Any) -> Snapshot:
    with replaying("inventory/owner") as other:
        first = fetch_first_page(other, SELLER)
    request = ExportRequest(
        seller=SELLER,
        first=FirstPage(page=first.page, served_at=ASKED_AT, is_sandbox=False),
        spool=_spool(directory),
        progress=NoProgress(),
        deadline_seconds=600,
        sleep=lambda _seconds: None,
        **more,
    )
    return fetch_export(transport, request)


@pytest.mark.parametrize(
    ("name", "requests"),
    [("export/plain", 3), ("export/zipped", 4), ("export/already_running", 3)],
)
def test_export_is_asked_for_waited_for_and_downloaded(
    name: str, requests: int, tmp_path: Path
) -> None:
    """The id is in `Location` only; a body is plain or a ZIP; a 409 takes the list's newest."""
    with replaying(name) as transport:
        snapshot = _export(transport, tmp_path, newer_than=ASKED_AT - timedelta(hours=1))

    listings = _listings(snapshot)
    assert [x.listing_id - FIRST_LISTING for x in listings] == [0, 1, 2, 3]
    assert [x.status for x in listings] == ["For Sale"] * 3 + ["Sold"]
    assert listings[0].comments == 'Sleeve\'s corner is bent; "promo" stamp.'
    assert listings[0].posted == datetime(2026, 11, 1, 16, 11, tzinfo=UTC)
    assert listings[2].price_value == Decimal("1099.95")
    assert transport.use.requests == requests
    # Discogs' clock in the body is US Pacific, and that of its headers is UTC: both say 09:1x.
    assert snapshot.as_of is not None
    assert abs(snapshot.as_of - ASKED_AT) < timedelta(minutes=10)


def test_both_sources_show_the_same_listings(tmp_path: Path) -> None:
    """What is For Sale has the same hash from the pages, with entities, and from the export."""
    with replaying("inventory/owner") as transport:
        pages = _listings(_walk(transport, tmp_path / "pages", is_owner=True))
    with replaying("export/plain") as transport:
        export = _listings(_export(transport, tmp_path / "export"))
    by_id = {x.listing_id: content_hash(x) for x in export}
    assert [content_hash(x) for x in pages] == [by_id[x.listing_id] for x in pages]


def test_newest_export_is_the_last_of_the_list() -> None:
    """The list is oldest first, and its moments are US Pacific."""
    with replaying("export/list_oldest_first") as transport:
        newest = fetch_newest_job(transport)
    assert newest is not None
    assert (newest.export_id, newest.is_ready, newest.ready_seconds) == (19_400_210, True, 5)
    assert newest.created_at == datetime(2026, 11, 10, 9, 10, 4, tzinfo=UTC)


def test_empty_list_of_exports_has_no_newest() -> None:
    """A seller who never asked for one."""
    with replaying("export/empty_list") as transport:
        assert fetch_newest_job(transport) is None


def _fetch_unknown_export(transport: Transport) -> object:
    return fetch_job(transport, 77_777)


def _download_what_is_gone(transport: Transport) -> object:
    return transport.download("/inventory/export/77778/download", Path("not-written"))


def _ask_for_an_export(transport: Transport) -> object:
    return transport.post_once("/inventory/export", also=frozenset({409}))


@pytest.mark.parametrize(
    ("name", "ask", "error"),
    [
        ("export/unknown", _fetch_unknown_export, SourceUnavailable),
        ("export/download_gone", _download_what_is_gone, SourceUnavailable),
        ("export/refused_token", _ask_for_an_export, AuthRefused),
        ("trouble/throttled_for_good", fetch_username, RateLimited),
        ("trouble/maintenance_503", fetch_username, SourceUnavailable),
        ("trouble/error_500", fetch_username, SourceUnavailable),
        ("trouble/firewall_403", fetch_username, SourceUnavailable),
        ("trouble/web_page_in_place_of_an_answer", fetch_username, BadData),
    ],
)
def test_refusal_and_trouble_are_told_apart(
    name: str, ask: Callable[[Transport], object], error: type[DiscosyncError], tmp_path: Path
) -> None:
    """A refused token is not a server in trouble, and neither is a page in place of an answer."""
    token = None if name == "export/refused_token" else TOKEN
    with replaying(name, token=token) as transport, pytest.raises(error) as raised:
        ask(transport)
    assert type(raised.value) is error
    assert "<html" not in raised.value.message


@pytest.mark.parametrize(
    ("name", "waited"), [("trouble/throttled_then_well", 7), ("trouble/web_page_502_then_well", 0)]
)
def test_trouble_that_passes_costs_one_more_request(name: str, waited: float) -> None:
    """After a 429 as long as Discogs asks for; then the answer counts."""
    with replaying(name) as transport:
        assert fetch_username(transport) == SELLER
    use = transport.use
    assert (use.requests, use.retries) == (2, 1)
    assert use.throttled_seconds >= waited


@pytest.mark.parametrize(
    ("name", "number", "verdict", "status"),
    [
        ("listings/for_sale", 1, Verdict.FOR_SALE, "For Sale"),
        ("listings/sold", 4, Verdict.NOT_FOR_SALE, "Sold"),
        ("listings/own_draft", 5, Verdict.NOT_FOR_SALE, "Draft"),
        ("listings/deleted", 6, Verdict.GONE, ""),
        ("listings/anothers_draft", 5, Verdict.UNPROVEN, ""),
    ],
)
def test_listing_is_looked_up(name: str, number: int, verdict: Verdict, status: str) -> None:
    """`GET /marketplace/listings/{id}`: a 404 with its message is gone, a 401 proves nothing."""
    listing_id = FIRST_LISTING - 1 + number
    token = None if verdict is Verdict.UNPROVEN else TOKEN
    with replaying(name, token=token) as transport:
        found = look_up_listing(transport, listing_id, seller=SELLER)
    assert (found.listing_id, found.verdict, found.status) == (listing_id, verdict, status)
    assert bool(found.why) is (verdict is Verdict.UNPROVEN)


def test_release_gives_its_credits() -> None:
    """A label with two catalogue numbers is credited twice; the id 0 is a name without entry."""
    with replaying("catalogue/release") as transport:
        (lookup,) = look_up_releases(transport, [31_200_001], now=NOON)
    assert lookup.outcome is Outcome.FOUND
    assert lookup.credits is not None
    assert lookup.credits.artists == (
        ArtistCredit(discogs_id=8_800_101, name="Hollow Meridian", join_phrase="With"),
        ArtistCredit(discogs_id=8_800_102, name="Ida Lantern (2)", name_variation="I. Lantern"),
        ArtistCredit(discogs_id=None, name="No Entry Here", role="Engineer"),
    )
    assert lookup.credits.labels == tuple(
        LabelCredit(discogs_id=6_600_201, name="Orchard Tapes", catalog_number=number)
        for number in ("ORC 011", "ORC-L 11")
    )


def test_unknown_release_is_not_found() -> None:
    """It answers 404, which is remembered and no error."""
    with replaying("catalogue/unknown_release") as transport:
        (lookup,) = look_up_releases(transport, [31_299_999], now=NOON)
    assert (lookup.outcome, lookup.credits) == (Outcome.NOT_FOUND, None)


@pytest.mark.parametrize(
    ("known", "unknown", "path", "name"),
    [
        ("catalogue/artist", "catalogue/unknown_artist", "artists/88", "Hollow Meridian"),
        ("catalogue/label", "catalogue/unknown_label", "labels/66", "Orchard Tapes"),
    ],
)
def test_artist_and_label_have_entries(known: str, unknown: str, path: str, name: str) -> None:
    """An entry names itself; one that is not there answers 404 with a message."""
    number = "00101" if path.startswith("artists") else "00201"
    with replaying(known) as transport:
        shown, _ = transport.get_json(f"/{path}{number}")
    assert shown["name"] == name
    with replaying(unknown) as transport, pytest.raises(SourceUnavailable, match="not found"):
        transport.get_json(f"/{path}99999")


def _export_hour(transport: Transport, directory: Path) -> list[int]:
    username = fetch_username(transport)
    request = ExportRequest(
        seller=username,
        first=fetch_first_page(transport, SELLER),
        spool=_spool(directory),
        progress=NoProgress(),
        deadline_seconds=60,
        sleep=lambda _seconds: None,
    )
    with open_snapshot(fetch_export(transport, request)) as opened:
        return [record.listing_id or 0 for record in opened.records]


def test_export_hour_as_recorded(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The five requests of an hour by export, as they were recorded, end in a whole inventory."""
    base_url = f"http://127.0.0.1:{PORT}"
    if request.config.getoption("--record-cassettes"):
        (TOP / "hour/export_hour.yaml").unlink(missing_ok=True)
        state = SandboxState(seller=SELLER, token=TOKEN, inventory=make_shop(3), is_marked=False)
        with serving(state, port=PORT), RECORDER.use_cassette("hour/export_hour.yaml"):
            _export_hour(Transport(base_url=base_url, token=TOKEN), tmp_path)
    transport = Transport(base_url=base_url, token=TOKEN)
    with RECORDER.use_cassette("hour/export_hour.yaml", record_mode="none") as cassette:
        listing_ids = _export_hour(transport, tmp_path)

    assert listing_ids == [listing.listing_id for listing in make_shop(3)]
    assert cassette.all_played
    assert transport.use.requests == 5


def test_no_cassette_holds_a_secret() -> None:
    """What is recorded can be published: no token, cookie, e-mail address or machine."""
    found = {path.name: secrets_of(path.read_text()) for path in cassettes()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
    assert not [path for path in cassettes() if TOKEN in path.read_text()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- REDACTED", "- Discogs token=abcdef0123456789"),
        ("      Authorization:", "      Cookie:\n      - sid=1\n      Authorization:"),
        ("      Server:", "      Set-Cookie:\n      - __cf_bm=1\n      Server:"),
        ("/oauth/identity", "/oauth/identity?token=abcdef0123456789"),
        ("a made-up consumer", "somebody@shop.example"),
        ("https://api.discogs.com/users", "https://db.shop.example/users"),
        ("a made-up consumer", "asked from 192.0.2.17"),
    ],
)
def test_secret_in_a_cassette_is_found(old: str, new: str) -> None:
    """Each kind of secret is seen where it would stand."""
    text = (TOP / "identity/own_token.yaml").read_text()
    text = text.replace(f'"consumer_name": "{SELLER}"', '"consumer_name": "a made-up consumer"')
    assert old in text
    assert secrets_of(text) == []
    assert secrets_of(text.replace(old, new, 1))


def test_every_cassette_is_replayed() -> None:
    """None is left over from a test that is gone."""
    source = Path(__file__).read_text()
    names = [str(path.relative_to(TOP).with_suffix("")) for path in cassettes()]
    assert len(names) > 30
    assert [name for name in names if f'"{name}' not in source] == []
