"""Lift the old shop's length limits on Postgres: a title of 300 letters is no reason to fail.

SQLite has never enforced them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_LENGTH_BY_COLUMN = {
    "status": 50,
    "condition": 50,
    "sleeve_condition": 50,
    "uri": 255,
    "resource_url": 255,
    "external_id": 100,
    "location": 255,
    "release_resource_url": 255,
    "release_uri": 255,
    "label_names": 500,
    "format_names": 255,
    "genres": 500,
    "styles": 500,
    "catalog_number": 100,
    "barcode": 100,
    "master_url": 255,
    "image_uri": 500,
    "image_resource_url": 500,
}
loses = tuple(f"listings.{name}>{length}" for name, length in _LENGTH_BY_COLUMN.items())


def upgrade() -> None:
    """Make them unlimited."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, length in _LENGTH_BY_COLUMN.items():
        op.alter_column("listings", name, existing_type=sa.String(length), type_=sa.Text())


def downgrade() -> None:
    """Cut what is longer: the old program could not hold it either."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, length in _LENGTH_BY_COLUMN.items():
        op.alter_column(
            "listings",
            name,
            existing_type=sa.Text(),
            type_=sa.String(length),
            postgresql_using=f"left({name}, {length})",
        )
