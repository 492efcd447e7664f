"""Whose token it is, by Discogs' own answer."""

from discosync.discogs.http.transport import Transport
from discosync.errors import BadData


def fetch_username(transport: Transport) -> str:
    """Return the user name that the token belongs to; raise `AuthRefused` for an unknown token.

    Raises `BadData` for an answer without a name. `GET /oauth/identity` (Discogs' API
    documentation, user identity).
    """
    identity, _ = transport.get_json("/oauth/identity")
    username = identity.get("username")
    # To say that the token is another user's would send its owner to make a new one.
    if not isinstance(username, str) or not username:
        raise BadData(
            "Discogs' answer does not say whose token it is",
            hint="nothing was changed; run again",
        )
    return username
