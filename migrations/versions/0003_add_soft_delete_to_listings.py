"""Listings that are gone stay, with when and why."""

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"
loses = ("listings.is_active", "listings.sold_at")


def upgrade() -> None:
    """Add the columns; every listing counts as active."""
    columns = (
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("removed_at", sa.DateTime),
        sa.Column("removal_reason", sa.String(20)),
        sa.Column("sold_at", sa.DateTime),
    )
    for column in columns:
        if column.name not in _own_columns():
            op.add_column("listings", column)
    _create_index("is_active")


def downgrade() -> None:
    """Drop them: an old program then takes every listing for one that is for sale."""
    if "is_active" not in _own_columns():
        op.drop_index("ix_listings_is_active", "listings")
    for name in ("sold_at", "removal_reason", "removed_at", "is_active"):
        if name not in _own_columns():
            op.drop_column("listings", name)


def _own_columns() -> frozenset[str]:
    """Name the columns that an old shop had itself, and that stay as they are."""
    return frozenset(context.config.attributes["own_columns"])


def _create_index(name: str) -> None:
    indexes = sa.inspect(op.get_bind()).get_indexes("listings")
    if f"ix_listings_{name}" not in {index["name"] for index in indexes}:
        op.create_index(f"ix_listings_{name}", "listings", [name])
