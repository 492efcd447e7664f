"""Checkpoints of the history: what all changes between two runs replaced, packed.

`as-of` reads them instead of the changes. They are made from the history, and can be made again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "history_checkpoints",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("first_run_id", sa.Integer, nullable=False),
        sa.Column("last_run_id", sa.Integer, nullable=False),
        sa.Column("is_thinned", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("replaced", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_checkpoints"),
        sa.ForeignKeyConstraint(
            ["first_run_id"],
            ["sync_runs.id"],
            name="fk_history_checkpoints_first_run_id_sync_runs",
        ),
        sa.ForeignKeyConstraint(
            ["last_run_id"],
            ["sync_runs.id"],
            name="fk_history_checkpoints_last_run_id_sync_runs",
        ),
    )
    op.create_index(
        "uq_history_checkpoints_seller_first_run_id_last_run_id",
        "history_checkpoints",
        ["seller", "first_run_id", "last_run_id"],
        unique=True,
    )


def downgrade() -> None:
    """Drop it; `as-of` answers the same without, only later."""
    op.drop_table("history_checkpoints")
