"""The links of a listing follow its release's credits, in order."""

from discosync.core.catalog.credits import ArtistCredit, LabelCredit, ReleaseCredits
from discosync.core.catalog.links import ArtistLink, LabelLink, Links, links_of

CREDITS = ReleaseCredits(
    release_id=1,
    artists=(
        ArtistCredit(discogs_id=6, name="Ilse", role="Producer"),
        ArtistCredit(discogs_id=5, name="Nova", join_phrase="&", name_variation="Novas"),
        ArtistCredit(discogs_id=None, name="Nobody"),
    ),
    labels=(
        LabelCredit(discogs_id=7, name="Orchard", catalog_number="ORC 1"),
        LabelCredit(discogs_id=7, name="Orchard"),
    ),
)
LINKS = links_of(CREDITS, {6: "a6", 5: "a5", "Nobody": "a0"}, {7: "l7"})


def test_every_credit_is_a_link() -> None:
    """An empty text is none; a label may stand twice, with and without a number."""
    assert LINKS.artists == (
        ArtistLink("a6", "Producer", None, None),
        ArtistLink("a5", None, "Novas", "&"),
        ArtistLink("a0", None, None, None),
    )
    assert LINKS.labels == (LabelLink("l7", "ORC 1"), LabelLink("l7", None))


def test_primary_artist_has_no_role() -> None:
    """A producer who stands first is not it; without main artists there is none."""
    assert (LINKS.artist_id, LINKS.label_id) == ("a5", "l7")
    assert (Links().artist_id, Links().label_id) == (None, None)
    assert Links(artists=(ArtistLink("a6", "Producer", None, None),)).artist_id is None
