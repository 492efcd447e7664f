"""What a shop should query: the listings that a customer can buy."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the view."""
    op.execute("CREATE VIEW active_listings AS SELECT * FROM listings WHERE is_active")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP VIEW active_listings")
