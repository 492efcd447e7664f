"""Answers in a Redis. This module imports the extra `redis`, so it is imported only for one."""

from typing import Any

from redis.exceptions import ResponseError
from requests_cache.backends.redis import RedisDict
from requests_cache.models.response import CachedResponse


class RedisAnswers(RedisDict):
    """The library's storage, in which every key expires and a value of another type is no error."""

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - as inherited
        """Return the answer under a key; None for a value that is no stored answer."""
        try:
            return super().__getitem__(key)  # type: ignore[no-untyped-call]
        except ResponseError as exc:
            if str(exc).startswith("WRONGTYPE"):  # a list, a set …: no answer
                return None
            raise

    def __setitem__(self, key: str, item: CachedResponse) -> None:
        """Keep an answer until it expires; the library would keep one without an expiry forever."""
        seconds = max(0, item.expires_delta or 0) + self.ttl_offset
        self.connection.set(self._bkey(key), self.serialize(item), ex=seconds)
