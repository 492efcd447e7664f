"""Read `DATABASE_URL` as SQLAlchemy does, without importing it: that takes 0.2 s."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from discosync.errors import NotReady

_FORM = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:(?:\[(?P<ipv6>[^/?\[\]]+)\]|(?P<host>[^/:?\[\]]+))?(?::(?P<port>[^/?]*))?)?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)

_USERINFO = re.compile(r"[^:/]*(?::[^@]*)?@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is; `text` may hold a password, `shown` does not."""

    text: str = field(repr=False)
    scheme: str
    user: str | None
    password: str | None = field(repr=False)
    host: str | None
    port: int | None
    database: str | None
    query: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether it names a SQLite file."""
        return self.scheme.partition("+")[0] == "sqlite"

    @property
    def shown(self) -> str:
        """Write it without the password, which may stand in the query too."""
        user = "" if self.user is None else quote(self.user, safe=" +")
        user += "" if self.password is None else ":***"
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host or ""
        sign = "@" if self.user is not None else ""
        port = "" if self.port is None else f":{self.port}"
        name = "" if self.database is None else "/" + quote(self.database, safe=" +/")
        return f"{self.scheme}://{user}{sign}{host}{port}{name}"

    def without_passwords(self, said: str) -> str:
        """Take its passwords out of what a library says."""
        queried = [value for name, value in self.query if "password" in name]
        for password in filter(None, (self.password, *queried)):
            for written in (password, quote(password), quote(password, safe="")):
                said = said.replace(written, "***")
        return said

    @property
    def postgres_parameters(self) -> dict[str, str | int]:
        """Give its parts under the names that libpq, Postgres' client library, has for them."""
        parts = {
            "host": self.host,
            "dbname": self.database,
            "user": self.user,
            "password": self.password,
            "port": self.port,
        }
        named = {name: part for name, part in parts.items() if part} | dict(self.query)
        hosts = [value.partition(":") for name, value in self.query if name == "host"]
        is_path = len(hosts) == 1 and hosts[0][0].startswith("/")
        if any(colon for _, colon, _ in hosts) and not is_path:
            # `?host=one:5432&host=two:5433`, which libpq takes as two lists
            named["port"] = ",".join(port for _, _, port in hosts)
        if hosts and (len(hosts) > 1 or "port" in named):
            named["host"] = ",".join(host for host, _, _ in hosts) or named.get("host", "")
        return named


def parse_address(text: str) -> Address:
    """Read `sqlite:///…` or `postgresql://…`; raise `NotReady` for what cannot be one."""
    # Hosting services hand out `postgres://`.
    text = text.replace("postgres://", "postgresql://", 1)
    if _has_stray_at(text):
        # Else a part of the password would be taken for the host's name, and shown, and looked up.
        raise bad_address(
            "there is more than one @ in it; in a user's name, a password or a database's name "
            "write @ as %40, / as %2F, : as %3A, # as %23 and ? as %3F"
        )
    match = _FORM.fullmatch(text)
    if match is None or not ("0" if match["port"] is None else match["port"]).isdecimal():
        # The message repeats no part of the address: it may be the password.
        raise bad_address("it is no database address")
    address = Address(
        text=text,
        scheme=match["scheme"],
        user=None if match["user"] is None else unquote(match["user"]),
        password=None if match["password"] is None else unquote(match["password"]),
        host=match["ipv6"] or match["host"],
        port=int(match["port"]) if match["port"] else None,
        database=None if match["database"] is None else unquote(match["database"]),
        query=tuple(parse_qsl(match["query"] or "")),
    )
    backend = address.scheme.partition("+")[0]
    if backend not in {"sqlite", "postgresql"}:
        raise bad_address(f"{backend} is not supported")
    if backend == "sqlite" and address.database in {None, "", ":memory:"}:
        raise bad_address("a database in memory would be gone when the run ends")
    return address


def _has_stray_at(text: str) -> bool:
    """Whether an @ stands behind the one that ends user and password."""
    scheme, _, rest = text.partition("://")
    userinfo = _USERINFO.match(rest)
    if userinfo is None or scheme.partition("+")[0] != "postgresql":
        return False
    location, _, query = rest[userinfo.end() :].partition("?")
    # In a query a value may hold one: a user, or the name of a program.
    return "@" in location or any("@" in part.partition("=")[0] for part in query.split("&"))


def bad_address(fault: str) -> NotReady:
    """Say what is wrong with DATABASE_URL; `fault` repeats nothing that may be a password."""
    return NotReady(
        f"DATABASE_URL: {fault}",
        hint="examples: sqlite:////var/lib/shop/discosync.db, postgresql://user:word@host/shop",
        code="bad_setting",
    )
