"""Flags: where each stands, and who switched it when and why."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
loses = ("feature_flags", "flag_events")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "feature_flags",
        sa.Column("flag", sa.String(64), nullable=False),
        sa.Column("percent", sa.Integer, nullable=False, server_default=sa.text("100")),
        sa.Column("rolled_back_at", sa.DateTime),
        sa.Column("rolled_back_by", sa.String(255)),
        sa.Column("reason", sa.Text),
        sa.Column("run_id", sa.String(36)),
        sa.PrimaryKeyConstraint("flag", name="pk_feature_flags"),
    )
    op.create_table(
        "flag_events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("flag", sa.String(64), nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("state_before", sa.String(20), nullable=False),
        sa.Column("state_after", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(36)),
        sa.PrimaryKeyConstraint("id", name="pk_flag_events"),
    )


def downgrade() -> None:
    """Drop both; every flag then stands as it is configured."""
    op.drop_table("flag_events")
    op.drop_table("feature_flags")
