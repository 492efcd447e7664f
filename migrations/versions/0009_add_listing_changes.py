"""The history: every change of every listing, field by field; only ever appended to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
loses = ("listing_changes",)


def upgrade() -> None:
    """Make the table; no cascade: nothing but a purge may take history away."""
    op.create_table(
        "listing_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("sync_run_id", sa.Integer, nullable=False),
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("listing_id", sa.String(50), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("fields", sa.JSON().with_variant(JSONB(), "postgresql")),
        sa.PrimaryKeyConstraint("id", name="pk_listing_changes"),
        sa.ForeignKeyConstraint(
            ["sync_run_id"], ["sync_runs.id"], name="fk_listing_changes_sync_run_id_sync_runs"
        ),
    )
    op.create_index("ix_listing_changes_sync_run_id", "listing_changes", ["sync_run_id"])
    op.create_index(
        "ix_listing_changes_seller_listing_id", "listing_changes", ["seller", "listing_id"]
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("listing_changes")
