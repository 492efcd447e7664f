"""Two things a seller sets that the old shop had no column for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
loses = ("listings.quantity", "listings.accept_offer")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("listings", sa.Column("quantity", sa.Integer))
    op.add_column("listings", sa.Column("accept_offer", sa.Boolean))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("listings", "accept_offer")
    op.drop_column("listings", "quantity")
