"""A command whose plain option values are read without pydantic.

Since 0.29 Typer hands every value to pydantic, defaults and absent options too. Importing pydantic
takes 0.1 s or more, a third of what an unchanged hour takes. `PlainCommand` reads the values that
mean the same either way; when one value of a command line is not plain, Typer reads them all.

Only the documented ways to extend a command are used: `app.command(cls=…)`, and click's
`Command.parse_args`. The type and the range of an option come from our own functions. Where a
newer Typer works differently inside, Typer reads everything: slower, and right.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from typer.core import TyperCommand

_MAX_DIGITS = 9

# Typer's own flags have no value unless they are typed, and Typer reads "no value" with pydantic.
# `False` means the same and is taken as it is. For the `default_map` of every group.
TYPERS_FLAGS_OFF = {"help": False, "install_completion": False, "show_completion": False}


class NotPlain(Exception):
    """The value needs Typer to say what it means, or what is wrong with it."""


class Declared(NamedTuple):
    """What one of our functions declares about a parameter: its type, and the range of a number."""

    kind: object
    least: float | None
    most: float | None


class PlainCommand(TyperCommand):
    """A command that reads plain values itself, and leaves all others to Typer."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as Typer's
        """Read a command line into the parameters of our function."""
        try:
            values = self._plain_values(ctx, list(args))
        except (NotPlain, AttributeError, TypeError, ValueError):
            # The last three: a Typer that is built differently inside.
            return super().parse_args(ctx, args)
        ctx.params.update(values)
        ctx.args = []
        return []

    def _plain_values(self, ctx: Any, args: list[str]) -> dict[str, object]:  # noqa: ANN401
        if ctx.resilient_parsing or self.callback is None:
            raise NotPlain  # the shell completes a command line that is not finished yet
        declared = declared_parameters(self.callback)
        typed, rest, _ = self.make_parser(ctx).parse_args(args=args)
        if rest:
            raise NotPlain
        values: dict[str, object] = {}
        for param in self.get_params(ctx):
            value, _ = param.consume_value(ctx, typed)
            if param.callback is not None or (value is None and param.required):
                if value or param.name in declared:
                    raise NotPlain  # --help, or an argument that is missing
            else:
                values[param.name] = plain_value(declared[param.name], value)
        if values.keys() != declared.keys():
            raise NotPlain
        return values


def declared_parameters(function: Callable[..., Any]) -> dict[str, Declared]:
    """Say what a command's function declares about each of its parameters."""
    hints = get_type_hints(function, include_extras=True)
    return {name: _declared(hint) for name, hint in hints.items() if name != "return"}


def _declared(hint: Any) -> Declared:  # noqa: ANN401 - an annotation may be anything
    if not hasattr(hint, "__metadata__"):
        return Declared(_without_none(hint), None, None)
    annotation, option = get_args(hint)
    return Declared(_without_none(annotation), option.min, option.max)


def _without_none(annotation: object) -> object:
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and NoneType in get_args(annotation) else annotation


def plain_value(declared: Declared, value: object) -> object:
    """Say what a plain value means; raise `NotPlain` where Typer has to."""
    kind = declared.kind
    if not isinstance(kind, type):
        raise NotPlain  # a list: Typer has its own word for an empty one
    if type(value) is kind and kind is not str:
        return value  # a default, or a flag
    if value is None:
        return None
    if isinstance(value, int) and kind is float:
        value = str(value)
    if not isinstance(value, str):
        raise NotPlain
    if kind is int or kind is float:
        return _plain_number(kind, value, least=declared.least, most=declared.most)
    return _plain_text(kind, value)


def _plain_number(
    kind: type[int] | type[float], text: str, *, least: float | None, most: float | None
) -> float:
    # Typer refuses a number that is out of range in its own words.
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        number = kind(text)
        if (least is None or number >= least) and (most is None or number <= most):
            return number
    raise NotPlain


def _plain_text(kind: type, text: str) -> object:
    if kind is str:
        return text
    # Typer refuses a path that is there and cannot be read, and knows why.
    if kind is Path and (os.access(text, os.R_OK) or not os.access(text, os.F_OK)):
        return Path(text)
    if issubclass(kind, StrEnum) and text in set(kind):
        return kind(text)
    raise NotPlain
