"""Which names have no entry on Discogs, as Discogs itself says: they never get an id.

What is known by name only, because nobody has said the id yet, is something else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; so far every name is one whose id may still come."""
    for table in ("artists", "labels"):
        column = sa.Column("is_unlisted", sa.Boolean, nullable=False, server_default=sa.false())
        op.add_column(table, column)


def downgrade() -> None:
    """Drop it: a name without an entry is a name again."""
    for table in ("labels", "artists"):
        op.drop_column(table, "is_unlisted")
