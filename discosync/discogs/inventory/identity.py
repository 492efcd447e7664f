"""Whose token it is, by Discogs' own answer."""

from discosync.discogs.http.transport import Transport


def fetch_username(transport: Transport) -> str:
    """Return the user name that the token belongs to; raise `AuthRefused` for an unknown token.

    `GET /oauth/identity` (Discogs' API documentation, user identity).
    """
    identity, _ = transport.get_json("/oauth/identity")
    return str(identity.get("username", ""))
