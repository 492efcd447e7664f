"""Turn what Postgres says, and a pooler before it, into our own errors, with what to type."""

import re

from discosync.database.connection.address import Address, bad_address
from discosync.database.connection.failures import BUSY, COMMIT_UNKNOWN
from discosync.errors import DiscosyncError, NotReady, StorageFailed

NO_RIGHT = "no_right"
"""The code of an error that says: this role may not do that."""

_UNCHANGED = "nothing was changed"
_SAYS_WHAT_TO_TYPE = frozenset(
    {BUSY, NO_RIGHT, "lock_lost", "no_such_database", "not_utf8", "pool_too_small", "pooler"}
    | {"read_only", COMMIT_UNKNOWN}
)


def postgres_failure(address: Address, cause: BaseException) -> DiscosyncError | None:
    """Say what failed on a server; None where there is nothing better than its own words."""
    said = address.without_passwords(" ".join(str(cause).split()))[:300]
    if hasattr(cause, "unknown_to"):
        return _commit_unanswered(address, said, cause.unknown_to)
    match getattr(cause, "sqlstate", None):
        case "55P03":
            return _locked_out(address, cause, said)
        case "42501":
            return _no_right(address, said)
        case "25006":
            return StorageFailed(
                f"the database {address.shown} takes no writes: {said}",
                hint="name the primary server in DATABASE_URL (with several hosts add "
                "target_session_attrs=read-write), or switch default_transaction_read_only off "
                f"for this role; {_UNCHANGED}",
                code="read_only",
            )
        case "22P05":
            return not_utf8(address)
    return _by_words(address, said)


def says_what_to_type(error: DiscosyncError) -> bool:
    """Whether an error stays as it is, whatever command met it: its hint mends the cause."""
    return error.code in _SAYS_WHAT_TO_TYPE


def not_utf8(address: Address, encoding: str = "") -> NotReady:
    """Say that the database cannot hold every text, and how to make one that can."""
    name = address.database or "shop"
    is_in = f" (it is in {encoding})" if encoding else ""
    return NotReady(
        f"the database {address.shown} does not hold UTF-8{is_in}: titles and comments have "
        "letters that it has no place for",
        hint=f"{_UNCHANGED}; make another one and name it in DATABASE_URL: `CREATE DATABASE "
        f"{_quoted(name + '_utf8')} ENCODING 'UTF8' TEMPLATE template0`",
        code="not_utf8",
    )


def lacks_rights(address: Address, lacks: str, *statements: str) -> StorageFailed:
    """Say which right a role lacks, and which statements give it."""
    typed = "; ".join(f"`{statement}`" for statement in statements)
    return StorageFailed(
        f"{role_of(address)} lacks rights in the database {address.shown}: {lacks[:300]}",
        hint=f"{_UNCHANGED}; as the owner, or as a superuser, type in that database: {typed}",
        code=NO_RIGHT,
    )


def role_of(address: Address) -> str:
    """Name the role that connects."""
    return f"the role {address.user}" if address.user else "this role"


def role_in_sql(address: Address) -> str:
    """Write the role that connects as SQL takes it."""
    return _quoted(address.user) if address.user else "the_role"


def grant_on_tables(address: Address, schema: str = "public") -> tuple[str, str]:
    """Write what gives a role all that discosync does with rows."""
    role, named = role_in_sql(address), _quoted(schema)
    return (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {named} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {named} TO {role}",
    )


def grant_temporary(address: Address) -> str:
    """Write what lets a role make temporary tables."""
    database, role = _quoted(address.database or "shop"), role_in_sql(address)
    return f"GRANT TEMPORARY ON DATABASE {database} TO {role}"


def grant_create(address: Address, schema: str = "public") -> str:
    """Write what lets a role make tables."""
    return f"GRANT USAGE, CREATE ON SCHEMA {_quoted(schema)} TO {role_in_sql(address)}"


def _no_right(address: Address, said: str) -> StorageFailed:
    role = role_in_sql(address)
    if "temporary" in said:
        return lacks_rights(address, said, grant_temporary(address))
    if "must be owner of" in said:
        kind, _, name = said.partition("must be owner of ")[2].partition(" ")
        statement = f"ALTER {kind.upper()} {_quoted(name.split()[0])} OWNER TO {role}"
        return lacks_rights(address, said, statement)
    if found := re.search(r"for schema (\S+)", said):
        return lacks_rights(address, said, grant_create(address, found[1]))
    if found := re.search(r"for database (\S+)", said):
        statement = f"GRANT ALL ON DATABASE {_quoted(address.database or 'shop')} TO {role}"
        return lacks_rights(address, said, statement)
    return lacks_rights(address, said, *grant_on_tables(address))


def _locked_out(address: Address, cause: BaseException, said: str) -> StorageFailed:
    blockers = getattr(cause, "blockers", ())
    if not blockers:
        return StorageFailed(
            f"the database {address.shown} failed: {said}",
            hint=f"another program holds what this one needs: run again; {_UNCHANGED}",
            code=BUSY,
        )
    return locked_out(address, *blockers)


def locked_out(address: Address, *blockers: object) -> StorageFailed:
    """Say which programs hold what a command waited for."""
    first = blockers[0]
    return StorageFailed(
        f"another program holds a lock in {address.shown} that this one needs: "
        f"{'; '.join(map(str, blockers))}",
        hint=f"{_UNCHANGED}; {getattr(first, 'way_out', '')}, then run again",
        code=BUSY,
    )


def _commit_unanswered(address: Address, said: str, server_pid: int | None) -> StorageFailed:
    if server_pid is None:
        return StorageFailed(
            f"the database {address.shown} did not answer the COMMIT, which did not take place: "
            f"{said}",
            hint=f"{_UNCHANGED}; see that the server and the way to it are well, then run again",
            code="not_committed",
        )
    return StorageFailed(
        f"the database {address.shown} did not answer the COMMIT, so nobody knows yet whether it "
        f"took place: {said}",
        hint="as soon as the server can be reached, end its process that may still hold the "
        f"transaction and its lock: `SELECT pg_terminate_backend({server_pid})`; running again is "
        "safe either way",
        code=COMMIT_UNKNOWN,
    )


def _by_words(address: Address, said: str) -> DiscosyncError | None:
    """Find what has no code: the words of a failed connection, and of poolers."""
    lower = said.lower()
    if lower.startswith("connection is bad: invalid "):
        return bad_address(said.partition(": ")[2])
    if "does not exist" in lower and "fatal: database" in lower:
        return _no_such_database(address)
    if "statement pooling mode" in lower:
        return NotReady(
            f"{address.shown} is a pooler that does not let a transaction stay together (statement "
            "pooling)",
            hint=f"{_UNCHANGED}; give the server's own address in DATABASE_URL, or set the pooler "
            "to pool_mode=transaction",
            code="pooler",
        )
    if "unsupported startup parameter" in lower:
        return bad_address(
            f"the pooler at this address takes no {said.rpartition(': ')[2]}: leave it out of the "
            "address, or name it in the pooler's ignore_startup_parameters"
        )
    if "query_wait_timeout" in lower or "no more connections allowed" in lower:
        return pool_too_small(address)
    return None


def _no_such_database(address: Address) -> StorageFailed:
    owner = f" OWNER {_quoted(address.user)}" if address.user else ""
    return StorageFailed(
        f"there is no database {address.database or address.user!r} at {address.shown}",
        hint="is its name right in DATABASE_URL? to make it, type on the server, as one who may: "
        f"`CREATE DATABASE {_quoted(address.database or address.user or 'shop')}{owner} "
        "ENCODING 'UTF8' TEMPLATE template0`",
        code="no_such_database",
    )


def pool_too_small(address: Address) -> NotReady:
    """Say that a pooler has no second connection for a run."""
    return NotReady(
        f"the pooler at {address.shown} had no connection to the server left for this run: each "
        "run needs two at a time",
        hint=f"{_UNCHANGED}; let runs begin one after the other, raise the pool's size "
        "(default_pool_size), or give the server's own address in DATABASE_URL",
        code="pool_too_small",
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
