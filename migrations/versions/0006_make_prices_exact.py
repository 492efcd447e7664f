"""Prices to the cent on Postgres; a SQLite float already keeps every cent there is."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = ("price_value", "shipping_price")


def upgrade() -> None:
    """Turn binary fractions into decimal ones, without changing a value a person sees."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in _COLUMNS:
        op.alter_column(
            "listings",
            name,
            existing_type=sa.Float(),
            type_=sa.Numeric(12, 2),
            postgresql_using=f"round({name}::numeric, 2)",
        )


def downgrade() -> None:
    """Turn them back."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in _COLUMNS:
        op.alter_column("listings", name, existing_type=sa.Numeric(12, 2), type_=sa.Float())
