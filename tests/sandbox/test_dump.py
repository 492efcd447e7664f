"""The sandbox's dump shows what its server answers."""

from pathlib import Path

from discosync.core.catalog.credits import ReleaseCredits, parse_release
from discosync.discogs.catalog.dump import DumpReader
from discosync.sandbox.inventory import make_inventory
from discosync.sandbox.releases import render_release
from tests.support.dump import sandbox_dump
from tests.support.shop import make_listing

INVENTORY = make_inventory(1500)
CREDITS = [parse_release(render_release(listing)) for listing in INVENTORY]


def test_dump_has_the_same_releases(tmp_path: Path) -> None:
    """The sandbox's dump shows each release once, in order, as its server does; always alike."""
    dump = tmp_path / "dump.xml.gz"
    inventory = [*INVENTORY, make_listing(1, release_id=INVENTORY[0].release_id)]
    dump.write_bytes(sandbox_dump(inventory))
    first_by_id: dict[int, ReleaseCredits] = {}
    for release in CREDITS:
        first_by_id.setdefault(release.release_id, release)

    reader = DumpReader(dump, frozenset(first_by_id))

    assert list(reader) == [release for _, release in sorted(first_by_id.items())]
    assert reader.records_seen == len(first_by_id)
    assert reader.fault is None
    assert dump.read_bytes() == sandbox_dump(inventory)
