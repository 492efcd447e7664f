"""How the file of the last applied snapshot was made up, to pass over what the next one repeats.

Nothing is lost without them: the next run looks each record up, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
loses = ()


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "snapshot_passages",
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seller", name="pk_snapshot_passages"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("snapshot_passages")
