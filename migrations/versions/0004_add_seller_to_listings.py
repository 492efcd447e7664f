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

    It stays where another table points to it, and where SQLite has it without a name inside the
    table's definition: Discogs' ids are unique among all sellers anyway.
    """
    bind = op.get_bind()
    found = sa.inspect(bind)
    for table in found.get_table_names():
        for key in found.get_foreign_keys(table):
            if key["referred_table"] == "listings" and key["referred_columns"] == ["listing_id"]:
                return
    if bind.dialect.name == "postgresql":
        for constraint in found.get_unique_constraints("listings"):
            if constraint["column_names"] == ["listing_id"]:
                op.drop_constraint(str(constraint["name"]), "listings")
    for name in _unique_indexes():
        op.drop_index(name, "listings")


def _unique_indexes() -> list[str]:
    indexes = sa.inspect(op.get_bind()).get_indexes("listings")
    return [str(i["name"]) for i in indexes if i["unique"] and i["column_names"] == ["listing_id"]]


def downgrade() -> None:
    """Move the uniqueness back; it fails when two sellers share a listing id."""
    if not _unique_indexes():
        op.create_index("ix_listings_listing_id", "listings", ["listing_id"], unique=True)
    op.drop_index("uq_listings_seller_listing_id", "listings")
    op.drop_column("listings", "seller")
