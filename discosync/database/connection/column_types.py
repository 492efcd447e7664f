"""How moments, money and long text are held on either database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Float, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_CENT = Decimal("0.01")


def naive(moment: datetime | None) -> datetime | None:
    """Write a moment as the tables hold it: UTC without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in code, UTC without a zone in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows what they mean."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return naive(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Name the zone."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Money(TypeDecorator[Decimal]):
    """An amount to the cent: NUMERIC on Postgres.

    On SQLite a float, which the old program reads too; below `MAX_AMOUNT` it keeps every cent.
    """

    impl = Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Decimal] | TypeEngine[float]:
        """Choose the column type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Float())
        return dialect.type_descriptor(Numeric(12, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | float | None:
        """Hand the driver what the column holds."""
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(
        self, value: Decimal | float | None, dialect: Dialect
    ) -> Decimal | None:
        """Read the cents back."""
        del dialect
        return None if value is None else Decimal(str(value)).quantize(_CENT)


class Json(TypeDecorator[Any]):
    """JSON: JSONB on Postgres, whose types SQLite need not import."""

    impl = JSON
    cache_ok = True

    def __init__(self, *, none_as_null: bool = False) -> None:
        super().__init__(none_as_null=none_as_null)
        self.none_as_null = none_as_null

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type."""
        none_as_null = self.none_as_null
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=none_as_null))
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - 0.03 s

        return dialect.type_descriptor(JSONB(none_as_null=none_as_null))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's
        """Read a key of it as JSON does."""
        return self.impl_instance.coerce_compared_value(op, value)


def wide(length: int) -> TypeEngine[str]:
    """Text that the old shop limited; SQLite never enforced the limit, Postgres' is lifted."""
    return Text().with_variant(String(length), "sqlite")
