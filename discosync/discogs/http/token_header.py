"""Where the token goes: into one header of a request, and into nothing that we keep."""

import requests

from discosync.render.scrubbing import HIDDEN


class TokenHeader(requests.auth.AuthBase):
    """Adds the token as a header. It is set as `auth`, so that no `.netrc` file replaces it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to a request."""
        if self._token is not None:
            request.headers["Authorization"] = f"Discogs token={self._token}"
        return request


def without_token(body: bytes, token: str | None) -> bytes:
    """Take the token out of a body that repeats it: what a page says gets into the database."""
    return body.replace(token.encode(), HIDDEN.encode()) if token else body
