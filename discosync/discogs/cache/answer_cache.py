"""Answers about the catalogue, kept for a while: the same release is not asked for twice.

Only what anybody may read is kept: releases, artists and labels. The inventory, the identity and
the exports are asked for anew, always. An answer is kept under its address alone, with its body
and two headers: nothing of the request is, so no token can be.

A store in trouble (no Redis, a full disk) costs speed and nothing else: after the Redis comes the
file, after the file nothing, and a store that failed once is not asked again.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from requests.structures import CaseInsensitiveDict

from discosync.core.reporting.report_parts import CacheUse
from discosync.discogs.answers import SANDBOX_HEADER, Answer, RetryLater, parse_object
from discosync.discogs.redis_link import CacheTrouble
from discosync.settings.caching import CacheSettings

if TYPE_CHECKING:
    from requests_cache.models.response import CachedResponse

    from discosync.discogs.cache.answer_stores import Store

_KEPT_PATH = re.compile(r"/(releases|artists|labels)/[0-9]+", re.ASCII)
_KEPT_HEADERS = ("Date", "Content-Type", SANDBOX_HEADER)
_MAX_CLOCK_SKEW = timedelta(seconds=60)
_log = logging.getLogger(__name__)

Opener = Callable[[], "Store"]


def is_kept(path: str, params: Mapping[str, str | int] | None) -> bool:
    """Say whether an address is one of the catalogue's."""
    return not params and _KEPT_PATH.fullmatch(path) is not None


class AnswerCache:
    """Answers that were given within the last `ttl_seconds`."""

    def __init__(
        self, openers: list[Opener], *, ttl_seconds: int, warn: Callable[[str], None]
    ) -> None:
        self._openers = openers
        self._ttl = timedelta(seconds=ttl_seconds)
        self._warn = warn
        self._has_warned = self._has_renewed = False
        self._has_saved = False
        self._hits = self._misses = 0
        self._store: Store | None = None
        self._backend: str | None = None
        self._advance([])

    @property
    def use(self) -> CacheUse:
        """What has been asked of it so far; once it is closed, what was."""
        return CacheUse(backend=self._backend, hits=self._hits, misses=self._misses)

    def load(self, url: str) -> tuple[dict[str, Any], Answer] | None:
        """Give a kept answer that is fresh, or None; either way it is counted."""
        answer = self._find(url)
        if answer is not None:
            with suppress(RetryLater):
                parsed = parse_object(answer)
                self._hits += 1
                return parsed, answer
            self._tell_garbage()
        self._misses += 1
        return None

    def save(self, url: str, answer: Answer) -> None:
        """Keep an answer; whatever was kept under its address is replaced."""
        from requests_cache.models.response import CachedResponse  # noqa: PLC0415 - start-up time

        kept = CachedResponse(
            url=url,
            status_code=answer.status,
            headers=CaseInsensitiveDict(
                {k: answer.headers[k] for k in _KEPT_HEADERS if k in answer.headers}
            ),
            content=answer.body,
            expires=datetime.now(UTC) + self._ttl,
        )
        while self._store is not None:
            try:
                self._store.save(_key_of(url), kept)
            except CacheTrouble as fault:
                self._advance([fault])
            else:
                self._has_saved = True
                return

    def close(self) -> None:
        """Close the store; a file forgets what has expired."""
        from discosync.discogs.cache.answer_stores import AnswerFile  # noqa: PLC0415 - start-up time

        store, self._store, self._openers = self._store, None, []
        if store is None:
            return
        with suppress(CacheTrouble), closing(store), store.trouble():
            if self._has_saved and isinstance(store.answers, AnswerFile):
                store.answers.forget_expired(time.time())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _find(self, url: str) -> Answer | None:
        while self._store is not None:
            try:
                kept = self._store.load(_key_of(url))
            except KeyError:
                return None
            except CacheTrouble as fault:
                self._advance([fault])
                continue
            if kept is None or kept.url != url or kept.status_code != 200:
                self._tell_garbage()
                return None
            return self._fresh(kept)
        return None

    def _fresh(self, kept: "CachedResponse") -> Answer | None:
        """Give an answer by its age, so that a shorter CACHE_TTL holds for older answers, too."""
        age = datetime.now(UTC) - _aware(kept.created_at)
        if not -_MAX_CLOCK_SKEW <= age < self._ttl:
            return None
        return Answer(status=200, headers=kept.headers, body=kept.content or b"")

    def _advance(self, faults: "list[CacheTrouble]") -> None:
        """Go on with the next store that opens, after the `faults` of those before it."""
        was_renewed = self._has_renewed
        if self._store is not None:
            with suppress(CacheTrouble):
                self._store.close()
        self._store = None
        self._renew_after(faults)
        while self._openers and self._store is None:
            try:
                self._store = self._openers.pop(0)()
            except CacheTrouble as fault:
                faults.append(fault)
                self._renew_after(faults)
        self._backend = self._store.backend if self._store else None
        if faults:
            file = "the file on this machine" if self._has_renewed == was_renewed else "a new file"
            now = file if self._store else "no cache"
            why = "; ".join(map(str, faults))
            self._tell(f"{why}: this run goes on with {now}, slower and no different")

    def _renew_after(self, faults: "list[CacheTrouble]") -> None:
        """Have a damaged file made anew, once: it would cost every run its cache and a warning."""
        from discosync.discogs.cache.answer_stores import (  # noqa: PLC0415 - start-up time
            DamagedFile,
            delete_damaged,
            open_file_store,
        )

        if not faults or self._has_renewed or not isinstance(faults[-1], DamagedFile):
            return
        damaged = faults[-1]

        def renew() -> "Store":
            delete_damaged(damaged)
            return open_file_store(damaged.path.parent)

        self._has_renewed = True
        self._openers.insert(0, renew)

    def _tell_garbage(self) -> None:
        self._tell(
            "the cache holds something that cannot be read; it is asked for anew and replaced "
            "(`discosync cache clear` empties it)"
        )

    def _tell(self, text: str) -> None:
        """Say the first fault; those that follow from it would be noise."""
        if self._has_warned:
            _log.info("%s", text)
            return
        self._has_warned = True
        self._warn(text)


def _key_of(url: str) -> str:
    return hashlib.sha256(f"GET {url}".encode()).hexdigest()


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def open_cache(settings: CacheSettings, warn: Callable[[str], None]) -> AnswerCache | None:
    """Open the cache that the settings name; None when answers are not kept at all.

    `warn` is called once at most, with what is wrong; it is never an error.
    """
    if settings.ttl_seconds <= 0:
        return None
    from discosync.discogs.cache.answer_stores import (  # noqa: PLC0415 - most runs keep no answers
        open_file_store,
        open_redis_store,
    )

    openers: list[Opener] = []
    redis_url = settings.redis_url
    if redis_url is not None:
        openers.append(lambda: open_redis_store(redis_url))
    openers.append(lambda: open_file_store(settings.place))
    return AnswerCache(openers, ttl_seconds=settings.ttl_seconds, warn=warn)
