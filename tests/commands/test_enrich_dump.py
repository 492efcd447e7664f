"""`enrich --from-dump`: the same links as by the API, without a call."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.dump import sandbox_dump
from tests.support.program import Program
from tests.support.releases import asked
from tests.support.shop import make_listing, make_shop


@pytest.fixture
def shop(program: Program, sandbox: SandboxServer) -> Program:
    """Twenty listings, mirrored, and a dump of their releases among others."""
    assert program("sync", "-q").exit_code == 0
    sandbox.state.requests.clear()
    return program


def _dump(program: Program, name: str = "releases.xml.gz") -> Path:
    others = [make_listing(100 + n) for n in range(50)]
    path = program.directory / name
    path.write_bytes(sandbox_dump([*make_shop(20), *others]))
    return path


def _links(program: Program) -> list[dict[str, Any]]:
    return program.query(
        "SELECT l.listing_id, l.position, a.discogs_id, a.name, l.role, l.name_variation, "
        "l.join_phrase FROM listing_artists l JOIN artists a ON a.uuid = l.artist_id "
        "ORDER BY l.listing_id, l.position"
    ) + program.query(
        "SELECT l.listing_id, l.position, a.discogs_id, a.name, l.catalog_number "
        "FROM listing_labels l JOIN labels a ON a.uuid = l.label_id "
        "ORDER BY l.listing_id, l.position"
    )


def test_a_dump_links_everything_without_a_call(shop: Program, sandbox: SandboxServer) -> None:
    """Just as the API would have; a later run by the API finds nothing to do."""
    result = shop("enrich", "--from-dump", str(_dump(shop)), "--json")
    assert result.exit_code == 0
    enrichment = result.report["enrichment"]
    assert enrichment["coverage"] == {"linked": 20, "total": 20, "by_name": 0, "waiting": 0}
    assert enrichment["dump"]["records"] >= 20
    assert enrichment["dump"]["records_per_second"] > 0
    by_dump = _links(shop)
    assert sandbox.state.requests == []
    assert shop("enrich", "--all").exit_code == 0
    assert asked(sandbox.state) == []
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    assert shop("enrich", "--all").exit_code == 0
    assert _links(shop) == by_dump
    assert len(asked(sandbox.state)) == 20


def test_a_dump_that_breaks_off_keeps_what_came_before(shop: Program) -> None:
    """It ends with a warning that says where; the sound dump then brings the rest."""
    path = shop.directory / "releases.xml.gz"
    content = sandbox_dump(make_shop(20))
    path.write_bytes(content[: len(content) * 3 // 4])
    result = shop("enrich", "--from-dump", str(path), "--json")
    assert result.exit_code == 3
    (problem,) = [p for p in result.report["problems"] if p["code"] == "dump_damaged"]
    assert "breaks off after release" in problem["text"]
    assert result.report["enrichment"]["coverage"]["linked"] > 0
    path.write_bytes(content)
    again = shop("enrich", "--from-dump", str(path), "--json")
    assert again.report["enrichment"]["coverage"]["linked"] == 20


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, 2),
        (b"", 14),
        (b"<html>not today</html>", 14),
        (gzip.compress(b"<artists><artist><id>1</id></artist></artists>"), 14),
        (gzip.compress(b"<releases>")[:12], 14),
        (b"<releases></releases>", 14),
        (b"<releases><release id='500001'><artists><oops></release></releases>", 14),
    ],
    ids=["missing", "empty", "web page", "artists", "cut", "no release", "unreadable"],
)
def test_what_is_no_dump_changes_nothing(shop: Program, content: bytes | None, code: int) -> None:
    """A missing file, a web page, another dump: said, and nothing written."""
    path = shop.directory / "dump"
    if content is not None:
        path.write_bytes(content)
    before = shop.digest()
    assert shop("enrich", "--from-dump", str(path)).exit_code == code
    assert shop.digest() == before


def test_a_release_that_is_not_in_the_dump_waits_for_the_api(
    shop: Program, sandbox: SandboxServer
) -> None:
    """It is newer than the dump; that is no warning."""
    path = shop.directory / "old.xml"
    path.write_bytes(gzip.decompress(sandbox_dump(make_shop(15))))
    result = shop("enrich", "--from-dump", str(path), "--json")
    assert result.exit_code == 0
    assert [p["code"] for p in result.report["problems"]] == ["not_in_dump"]
    assert result.report["enrichment"]["remaining_requests"] == 5
    assert shop("enrich", "--all").exit_code == 0
    assert len(asked(sandbox.state)) == 5


def test_a_damaged_record_is_told_and_the_others_are_kept(shop: Program) -> None:
    """One release of the dump that cannot be read stays waiting for the API."""
    xml = gzip.decompress(sandbox_dump(make_shop(20))).decode()
    path = shop.directory / "harmed.xml"
    path.write_text(xml.replace("<artists>", "<artists><oops>", 1))
    result = shop("enrich", "--from-dump", str(path), "--json")
    assert result.exit_code == 3
    assert [p["code"] for p in result.report["problems"]] == ["bad_release"]
    coverage = result.report["enrichment"]["coverage"]
    assert (coverage["linked"], coverage["waiting"]) == (19, 1)


def test_a_limit_takes_the_newest_of_a_dump_too(shop: Program) -> None:
    """--limit counts listings, wherever their releases are looked up."""
    result = shop("enrich", "--from-dump", str(_dump(shop)), "--limit", "3", "--json")
    assert json.loads(result.stdout)["enrichment"]["coverage"]["linked"] == 3
