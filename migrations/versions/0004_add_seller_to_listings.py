"""Several sellers in one database: a listing is known by seller and id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
loses = ("listings.seller",)


def upgrade() -> None:
    """Add the column and move the uniqueness."""
    op.add_column(
        "listings",
        sa.Column("seller", sa.String(255), nullable=False, server_default=sa.text("''")),
    )
    op.create_index(
        "uq_listings_seller_listing_id", "listings", ["seller", "listing_id"], unique=True
    )
    _drop_uniqueness()


def _drop_uniqueness() -> None:
    """Drop what keeps listing_id alone unique, whatever the old shop called it.

    What SQLite has without a name inside the table's definition stays: Discogs' ids are unique
    among all sellers anyway.
    """
    bind = op.get_bind()
    found = sa.inspect(bind)
    if bind.dialect.name == "postgresql":
        for constraint in found.get_unique_constraints("listings"):
            if constraint["column_names"] == ["listing_id"]:
                op.drop_constraint(str(constraint["name"]), "listings")
    for index in sa.inspect(bind).get_indexes("listings"):
        if index["unique"] and index["column_names"] == ["listing_id"]:
            op.drop_index(str(index["name"]), "listings")


def downgrade() -> None:
    """Move the uniqueness back; it fails when two sellers share a listing id."""
    op.create_index("ix_listings_listing_id", "listings", ["listing_id"], unique=True)
    op.drop_index("uq_listings_seller_listing_id", "listings")
    op.drop_column("listings", "seller")
