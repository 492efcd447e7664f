"""Answers in a Redis; imports the extra `redis`, so only whoever has a Redis imports this."""

from typing import Any

from redis.exceptions import ResponseError
from requests_cache.backends.redis import RedisDict
from requests_cache.models.response import CachedResponse


class RedisAnswers(RedisDict):
    """The library's storage, with an end for every key, and forbearance for what is not ours."""

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - as inherited
        """Give an answer; None is something that cannot be read."""
        try:
            return super().__getitem__(key)  # type: ignore[no-untyped-call]
        except ResponseError as exc:
            if str(exc).startswith("WRONGTYPE"):  # something of another type under our key
                return None
            raise

    def __setitem__(self, key: str, item: CachedResponse) -> None:
        """Keep an answer until it expires; the library would keep some for ever."""
        seconds = max(0, item.expires_delta or 0) + self.ttl_offset
        self.connection.set(self._bkey(key), self.serialize(item), ex=seconds)
