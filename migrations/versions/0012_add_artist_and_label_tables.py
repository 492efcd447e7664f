"""Artists and labels as things of their own, and which listing is by and on which of them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
loses = ("artists", "labels", "listing_artists", "listing_labels")

_VIEW = "CREATE VIEW active_listings AS SELECT * FROM listings WHERE is_active"


def upgrade() -> None:
    """Make the tables, and point each listing to its primary artist and label."""
    for table in ("artists", "labels"):
        _create_names(table)
    _create_links(
        "listing_artists",
        "artist_id",
        "artists",
        sa.Column("role", sa.Text),
        sa.Column("name_variation", sa.Text),
        sa.Column("join_phrase", sa.Text),
    )
    _create_links("listing_labels", "label_id", "labels", sa.Column("catalog_number", sa.Text))
    # Postgres froze the view's columns when it was made.
    op.execute("DROP VIEW active_listings")
    for column, table in (("artist_id", "artists"), ("label_id", "labels")):
        # Not Alembic's `add_column`: on SQLite it would rebuild the table for the reference.
        op.execute(
            f"ALTER TABLE listings ADD COLUMN {column} VARCHAR(36) "
            f"CONSTRAINT fk_listings_{column}_{table} REFERENCES {table} (uuid)"
        )
        op.create_index(f"ix_listings_{column}", "listings", [column])
    op.execute(_VIEW)


def _create_names(table: str) -> None:
    op.create_table(
        table,
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("discogs_id", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("profile", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name=f"pk_{table}"),
        sa.UniqueConstraint("discogs_id", name=f"uq_{table}_discogs_id"),
    )
    op.create_index(f"ix_{table}_name", table, ["name"])


def _create_links(table: str, key: str, target: str, *columns: sa.Column[str]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("listing_id", sa.String(50), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column(key, sa.String(36), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        # No cascades: what is linked cannot be deleted by accident.
        sa.ForeignKeyConstraint(
            ["seller", "listing_id"],
            ["listings.seller", "listings.listing_id"],
            name=f"fk_{table}_seller_listings",
        ),
        sa.ForeignKeyConstraint([key], [f"{target}.uuid"], name=f"fk_{table}_{key}_{target}"),
    )
    op.create_index(
        f"uq_{table}_seller_listing_id_position",
        table,
        ["seller", "listing_id", "position"],
        unique=True,
    )
    op.create_index(f"ix_{table}_{key}", table, [key])


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP VIEW active_listings")
    for column in ("label_id", "artist_id"):
        op.drop_index(f"ix_listings_{column}", "listings")
        op.drop_column("listings", column)
    op.execute(_VIEW)
    for table in ("listing_labels", "listing_artists", "labels", "artists"):
        op.drop_table(table)
