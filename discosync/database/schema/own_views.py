"""Take a shop's own views and triggers away while its table is changed, and make them again.

Postgres changes no column that a view shows. A trigger would run for each row that is filled in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from discosync.database.connection.session import Session

_OURS = "active_listings"

_VIEWS = """
WITH RECURSIVE found(view, depth) AS (
  SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = to_regclass('listings')
  UNION
  SELECT r.ev_class, found.depth + 1 FROM found JOIN pg_depend d ON d.refobjid = found.view
  JOIN pg_rewrite r ON r.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND r.ev_class <> found.view
)
SELECT c.oid::regclass::text, pg_get_viewdef(c.oid), array_to_string(c.reloptions, ', '),
  pg_get_userbyid(c.relowner), obj_description(c.oid, 'pg_class'),
  ARRAY(SELECT format('GRANT %s ON %s TO %s', a.privilege_type, c.oid::regclass,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM aclexplode(c.relacl) a),
  ARRAY(SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
FROM pg_class c JOIN (SELECT view, max(depth) AS depth FROM found GROUP BY view) f ON f.view = c.oid
WHERE c.relkind = 'v' ORDER BY f.depth
"""

_TRIGGERS = """
SELECT quote_ident(tgname), pg_get_triggerdef(oid), tgenabled FROM pg_trigger
WHERE tgrelid = to_regclass('listings') AND NOT tgisinternal
"""

_STATES = {"D": "DISABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}


_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint
WHERE contype = 'f' AND confrelid = ANY(CAST(:tables AS regclass[]))
  AND NOT conrelid = ANY(CAST(:tables AS regclass[]))
"""


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something of the shop's that is dropped, and the statements that make it again."""

    drop: str
    make: tuple[str, ...]


@contextmanager
def triggers_aside(session: Session) -> Iterator[None]:
    """Drop the shop's own triggers on the listings, and make them again."""
    kept = _sqlite_triggers(session) if session.is_sqlite else _postgres_triggers(session)
    yield from _without(session, list(kept))


@contextmanager
def views_aside(session: Session) -> Iterator[None]:
    """Drop the shop's own views that read the listings, and make them again; on Postgres only."""
    yield from _without(session, [] if session.is_sqlite else list(_postgres_views(session)))


def _without(session: Session, kept: list[Dependent]) -> Iterator[None]:
    for each in reversed(kept):
        session.driver.execute(each.drop)
    # After an error the whole transaction is undone.
    yield
    for each in kept:
        for statement in each.make:
            session.driver.execute(statement)


def _sqlite_triggers(session: Session) -> Iterator[Dependent]:
    found = session.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'listings' "
        "AND name NOT LIKE 'watch_listings_%'"
    )
    for name, made in found.fetchall():
        yield Dependent(f'DROP TRIGGER "{name}"', (made,))


def _postgres_triggers(session: Session) -> Iterator[Dependent]:
    for name, made, state in session.execute(_TRIGGERS).fetchall():
        again = [made]
        if said := _STATES.get(state):
            again.append(f"ALTER TABLE listings {said} {name}")
        yield Dependent(f"DROP TRIGGER {name} ON listings", tuple(again))


def _postgres_views(session: Session) -> Iterator[Dependent]:
    found = session.driver.execute(_VIEWS).fetchall()
    for name, query, options, owner, comment, grants, triggers in found:
        if name.rpartition(".")[2] == _OURS:
            continue
        made = f"CREATE VIEW {name} {f'WITH ({options})' if options else ''} AS {query}"
        said = str(comment).replace("'", "''")
        yield Dependent(
            f"DROP VIEW {name}",
            (
                made,
                *([f"COMMENT ON VIEW {name} IS '{said}'"] if comment else []),
                *grants,
                *triggers,
                f'ALTER VIEW {name} OWNER TO "{owner}"',
            ),
        )


def load_dependents(session: Session, tables: list[str]) -> list[Dependent]:
    """Load what keeps these tables of Postgres from being dropped: views, and others' keys."""
    keys = session.execute(_KEYS, tables=tables).fetchall()
    return [
        *(
            Dependent(
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                (f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}",),
            )
            for table, name, made in keys
        ),
        *_postgres_views(session),
    ]


def load_views(session: Session) -> list[tuple[str, str]]:
    """Load the names and the texts of all views of the shop's own."""
    if session.is_sqlite:
        statement = "SELECT name, sql FROM sqlite_master WHERE type = 'view'"
    else:
        statement = "SELECT viewname, definition FROM pg_views WHERE schemaname = current_schema()"
    rows = session.execute(statement).fetchall()
    return [(str(name), str(made)) for name, made in rows if name != _OURS]
