"""What `discosync db upgrade` says after it has adopted an old shop's database."""

from collections.abc import Iterator

from discosync.database.schema.filling import Adopted, OtherRule

_RULES = {
    "primary_artist": ("the artists as one text", "artists"),
    "primary_label": ("the first of the labels", "labels"),
    "primary_format": ("the first of the formats", "formats"),
}
"""The rule of each `primary_…` column, and what it is taken from."""

_LONGEST = 60


def render_adopted(adopted: Adopted, seller: str) -> Iterator[str]:
    """Tell what was taken over, what was decided, and what has another name now."""
    yield (
        f"{adopted.listings:,} listings are now {seller}'s, {adopted.active:,} of them for sale; "
        "every value is as it was"
        + (", or is kept in the columns named below" if adopted.own.columns else "")
    )
    for doubt, count in adopted.doubts.items():
        example = adopted.examples[doubt]
        yield f"{count:,} listings {doubt.value} (for example listing {example})"
    yield from _render_names(adopted)
    for table, count in adopted.entries.items():
        yield f"{count:,} {table} of the shop's own are now in the table {table}, with their links"
    for rule in adopted.other_rules.values():
        yield _render_rule(rule)


def _render_names(adopted: Adopted) -> Iterator[str]:
    own = adopted.own
    for name, kept in own.columns.items():
        if name not in own.staying:
            yield (
                f"the shop's own column {name} is now {kept}, because its type or purpose is "
                f"another one; {name} is discosync's"
            )
        elif name == "content_hash":
            yield f"content_hash is discosync's from now on; the shop's own values are in {kept}"
        else:
            yield (
                f"{name} stays the shop's column; some values were filled in or replaced, and all "
                f"of them are in {kept} as they were"
            )
    for name, kept in own.tables.items():
        hint = ""
        if name == "alembic_version":
            hint = (
                "; if the shop uses Alembic for other tables, give it "
                f"version_table={kept!r} in its env.py"
            )
        yield f"the shop's own table {name} is now {kept}{hint}"
    for view in adopted.stale_views:
        yield (
            f"the view {view} reads a column that has another name now, and which discosync does "
            "not write: make the view again"
        )


def _render_rule(rule: OtherRule) -> str:
    said, subject = _RULES[rule.column]
    return (
        f"{rule.column} differs from discosync's rule ({said}) in {rule.listings:,} listings, for "
        f"example {rule.own[:_LONGEST]!r} and not {rule.ours[:_LONGEST]!r} in listing "
        f"{rule.listing_id}: the shop's values stay until the {subject} of a listing change"
    )
