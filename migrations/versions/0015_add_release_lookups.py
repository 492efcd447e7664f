"""Which releases have been looked up, when, where, and with what result.

Without it a release that Discogs no longer has would be asked for again in every run.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
loses = ("release_lookups",)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "release_lookups",
        sa.Column("release_id", sa.String(50), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("looked_up_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("release_id", name="pk_release_lookups"),
    )


def downgrade() -> None:
    """Drop it; the next `enrich` looks everything up again."""
    op.drop_table("release_lookups")
