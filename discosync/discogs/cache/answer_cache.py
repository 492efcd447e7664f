"""Answers about the catalogue, kept for a while, so that no release is asked for twice.

Only releases, artists and labels are kept: everybody may read them. The inventory, the identity
and exports are asked for anew each time. An answer is kept with its address, its body and three
headers. Nothing of the request is kept, so the token cannot be.

A store that fails (no Redis, a full disk) makes a run slower and changes nothing else: after the
Redis comes the file, after the file nothing. A store that failed once is not asked again.
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
from discosync.discogs.redis_link import CacheTrouble, own_directory
from discosync.settings.caching import CacheSettings

if TYPE_CHECKING:
    from requests_cache.models.response import CachedResponse

    from discosync.discogs.cache.answer_stores import Store

_KEPT_PATH = re.compile(r"/(releases|artists|labels)/[0-9]+", re.ASCII)
_KEPT_HEADERS = ("Date", "Content-Type", SANDBOX_HEADER)
_MAX_CLOCK_SKEW = timedelta(seconds=60)
"""How far ahead of our clock another machine may have dated an answer in a shared Redis."""

_log = logging.getLogger(__name__)

Opener = Callable[[], "Store"]


def is_kept(path: str, params: Mapping[str, str | int] | None) -> bool:
    """Return whether the answer of an address is kept: a release, an artist or a label."""
    return not params and _KEPT_PATH.fullmatch(path) is not None


class AnswerCache:
    """Keeps answers for `ttl_seconds`, in the first store of `openers` that works.

    `warn` is called with the first fault. Close it, or use it as a context manager.
    """

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
        """How often it was asked and had the answer, so far, and which store it uses."""
        return CacheUse(backend=self._backend, hits=self._hits, misses=self._misses)

    def load(self, url: str) -> tuple[dict[str, Any], Answer] | None:
        """Return the fresh answer kept for an address, or None; count a hit or a miss."""
        answer = self._find(url)
        if answer is not None:
            with suppress(RetryLater):  # the kept body is no JSON object
                parsed = parse_object(answer)
                self._hits += 1
                return parsed, answer
            self._tell_garbage()
        self._misses += 1
        return None

    def save(self, url: str, answer: Answer) -> None:
        """Keep an answer in place of an older one of the same address."""
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
        """Close the store; from a file, delete what has expired."""
        from discosync.discogs.cache.answer_stores import AnswerFile  # noqa: PLC0415 - start-up time

        store, self._store, self._openers = self._store, None, []
        if store is None:
            return
        # A run that only read leaves the file alone: writing may have to wait for another run.
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
        """Return an answer younger than CACHE_TTL, by its age: a TTL made shorter holds at once."""
        age = datetime.now(UTC) - _aware(kept.created_at)
        if not -_MAX_CLOCK_SKEW <= age < self._ttl:
            return None
        return Answer(status=200, headers=kept.headers, body=kept.content or b"")

    def _advance(self, faults: "list[CacheTrouble]") -> None:
        """Go on with the next store that opens; warn of its predecessors' `faults`."""
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
        """Put making a new file next, once, if the last fault is a damaged file.

        A damaged file does not mend itself: without this, every run would warn and have no cache.
        """
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
        """Warn of the first fault; later ones follow from it and go to the log."""
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
    """Open the cache that the settings name; return None if CACHE_TTL is 0.

    A store that cannot be used is no error: `warn` is called with the reason, at most once.
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
    openers.append(lambda: open_file_store(own_directory(settings)))
    return AnswerCache(openers, ttl_seconds=settings.ttl_seconds, warn=warn)
