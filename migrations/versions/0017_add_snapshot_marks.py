"""The mark: what the last applied snapshot of a seller left for the next run.

Nothing is lost without them: the next run compares every listing by its content hash, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
loses = ()


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "snapshot_marks",
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("context", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("for_sale", sa.Integer, nullable=False),
        sa.Column("left_purged", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("seller", name="pk_snapshot_marks"),
    )
    op.create_table(
        "record_digests",
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("chunk", sa.Integer, nullable=False),
        sa.Column("ids", sa.LargeBinary, nullable=False),
        sa.Column("flags", sa.LargeBinary, nullable=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seller", "chunk", name="pk_record_digests"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("record_digests")
    op.drop_table("snapshot_marks")
