"""One row a run: its report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
loses = ("sync_runs",)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("command", sa.String(40), nullable=False),
        sa.Column("seller", sa.String(255)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("exit_code", sa.Integer, nullable=False),
        sa.Column("source", sa.String(20)),
        sa.Column("is_sandbox", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("snapshot_as_of", sa.DateTime),
        sa.Column("snapshot_sha256", sa.String(64)),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime, nullable=False),
        sa.Column("report", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sync_runs"),
        sa.UniqueConstraint("run_id", name="uq_sync_runs_run_id"),
    )
    op.create_index("ix_sync_runs_seller_snapshot_as_of", "sync_runs", ["seller", "snapshot_as_of"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sync_runs")
