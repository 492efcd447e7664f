"""Two things a seller sets that the old shop had no column for."""

import sqlalchemy as sa
from alembic import context, op

revision = "0005"
down_revision = "0004"
loses = ("listings.quantity", "listings.accept_offer")


def upgrade() -> None:
    """Add the columns."""
    for column in (sa.Column("quantity", sa.Integer), sa.Column("accept_offer", sa.Boolean)):
        if column.name not in _own_columns():
            op.add_column("listings", column)


def downgrade() -> None:
    """Drop them."""
    for name in ("accept_offer", "quantity"):
        if name not in _own_columns():
            op.drop_column("listings", name)


def _own_columns() -> frozenset[str]:
    """Name the columns that an old shop had itself, and that stay as they are."""
    return frozenset(context.config.attributes["own_columns"])
