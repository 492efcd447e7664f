"""How columns are written on either database: moments, money, JSON, long text, foreign keys."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Float, Numeric, String, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

from discosync.database.connection.values import naive

_HAS_KEYS_INLINE = "has_keys_inline"
_CENT = Decimal("0.01")


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


def keep_keys_inline(table: Table) -> None:
    """Have a table's foreign keys written beside their columns on SQLite, as `ADD COLUMN` does.

    SQLite drops no column that a foreign key at the end of the definition names: a downgrade would
    fail in a database that was made from the tables.
    """
    table.info[_HAS_KEYS_INLINE] = True
    for constraint in table.foreign_key_constraints:
        constraint.ddl_if(dialect="postgresql")


@compiles(CreateColumn, "sqlite")
def _create_column(element: CreateColumn, compiler: DDLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    column, prepare = element.element, compiler.preparer
    create: Callable[..., str] = compiler.visit_create_column
    written = create(element, **options)
    if not column.table.info.get(_HAS_KEYS_INLINE):
        return written
    for key in column.foreign_keys:
        target = key.column
        if key.constraint is not None:  # it is once the column has a table
            written += f" CONSTRAINT {prepare.format_constraint(key.constraint)}"
        written += f" REFERENCES {prepare.format_table(target.table)}"
        written += f" ({prepare.format_column(target)})"
    return written
