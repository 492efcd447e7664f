"""Look releases up at `GET /releases/{id}`, one request each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from discosync.core.catalog.credits import parse_release
from discosync.core.catalog.enrichment import Lookup, LookupSource, Outcome, found
from discosync.discogs.http.transport import Transport
from discosync.errors import BadData, RateLimited, RequestsUsedUp, SourceUnavailable

_GIVES_UP_AFTER = 3
"""Releases in a row that cannot be read."""

_NOT_FOUND = 404


def look_up_releases(
    transport: Transport, release_ids: Sequence[int], *, now: datetime
) -> Iterator[Lookup]:
    """Yield one lookup for each release, in order.

    A release that cannot be read is yielded as unreadable once a later one can be read. Three in a
    row, or all of a shorter list, mean that Discogs is in trouble, not the releases: then the last
    error is raised, and none of these is yielded. Raises `RateLimited`, `RequestsUsedUp` and
    `AuthRefused` at once.
    """
    failed: list[Lookup] = []
    has_answered = False
    for release_id in release_ids:
        try:
            lookup = _look_up(transport, release_id, now)
        except (RateLimited, RequestsUsedUp):
            raise
        except (BadData, SourceUnavailable) as exc:
            failed.append(
                Lookup(
                    release_id=release_id,
                    outcome=Outcome.UNREADABLE,
                    source=LookupSource.API,
                    looked_up_at=now,
                    reason=exc.message,
                )
            )
            is_last = release_id == release_ids[-1]
            if len(failed) >= _GIVES_UP_AFTER or (is_last and not has_answered):
                raise
            continue
        has_answered = True
        yield from failed
        failed.clear()
        yield lookup
    yield from failed


def _look_up(transport: Transport, release_id: int, now: datetime) -> Lookup:
    said, answer = transport.get_json(f"/releases/{release_id}", also=frozenset({_NOT_FOUND}))
    if answer.status == _NOT_FOUND:
        return Lookup(
            release_id=release_id,
            outcome=Outcome.NOT_FOUND,
            source=LookupSource.API,
            looked_up_at=now,
            is_sandbox=answer.is_sandbox,
        )
    try:
        # Discogs merges releases: the answer for an old number may hold the new one. Our listings
        # still have the old one.
        credits_ = replace(parse_release(said), release_id=release_id)
    except ValueError as exc:
        raise BadData(
            f"the answer for release {release_id} is no release: {exc}",
            hint="nothing was changed for it; it is asked for again tomorrow",
            code="bad_release",
        ) from exc
    return found(credits_, source=LookupSource.API, now=now, is_sandbox=answer.is_sandbox)
