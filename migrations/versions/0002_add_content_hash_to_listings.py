"""A digest of each listing's content: unchanged rows need not be compared, nor written."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("listings", sa.Column("content_hash", sa.String(64)))
    op.create_index("ix_listings_content_hash", "listings", ["content_hash"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_listings_content_hash", "listings")
    op.drop_column("listings", "content_hash")
