"""The links of a listing to artists and labels, in order, as the link tables hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from discosync.core.catalog.credits import ReleaseCredits
    from discosync.core.catalog.entries import Key


class ArtistLink(NamedTuple):
    """A row of `listing_artists` without its listing; an empty text is None."""

    artist_id: str
    role: str | None
    name_variation: str | None
    join_phrase: str | None


class LabelLink(NamedTuple):
    """A row of `listing_labels` without its listing; an empty text is None."""

    label_id: str
    catalog_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """All links of one listing, in order; the tables number them from 1."""

    artists: tuple[ArtistLink, ...] = ()
    labels: tuple[LabelLink, ...] = ()

    @property
    def artist_id(self) -> str | None:
        """The uuid of the primary artist: the first one without a role, None if there is none."""
        # A credit with a role, such as a producer's, does not make somebody the release's artist.
        return next((link.artist_id for link in self.artists if link.role is None), None)

    @property
    def label_id(self) -> str | None:
        """The uuid of the primary label, the first one; None if there is none."""
        return self.labels[0].label_id if self.labels else None


def links_of(
    credits_: "ReleaseCredits", artists: "Mapping[Key, str]", labels: "Mapping[Key, str]"
) -> Links:
    """Return the links for a release's credits; the maps hold a credit's key → its entry's uuid."""
    # Imported here because every sync imports this module, and few need entries.
    from discosync.core.catalog.entries import key_of  # noqa: PLC0415 - start-up time

    return Links(
        artists=tuple(
            ArtistLink(
                artist_id=artists[key_of(credit)],
                role=credit.role or None,
                name_variation=credit.name_variation or None,
                join_phrase=credit.join_phrase or None,
            )
            for credit in credits_.artists
        ),
        labels=tuple(
            LabelLink(label_id=labels[key_of(credit)], catalog_number=credit.catalog_number or None)
            for credit in credits_.labels
        ),
    )
