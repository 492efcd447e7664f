"""A digest of each listing's content: unchanged rows need not be compared, nor written."""

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and its index."""
    if "content_hash" not in _own_columns():
        op.add_column("listings", sa.Column("content_hash", sa.String(64)))
    _create_index("content_hash")


def downgrade() -> None:
    """Drop both."""
    if "content_hash" not in _own_columns():
        op.drop_index("ix_listings_content_hash", "listings")
        op.drop_column("listings", "content_hash")


def _own_columns() -> frozenset[str]:
    """Name the columns that an old shop had itself, and that stay as they are."""
    return frozenset(context.config.attributes["own_columns"])


def _create_index(name: str) -> None:
    indexes = sa.inspect(op.get_bind()).get_indexes("listings")
    if f"ix_listings_{name}" not in {index["name"] for index in indexes}:
        op.create_index(f"ix_listings_{name}", "listings", [name])
