"""Options that mean what they say, read without pydantic.

Typer hands every value to pydantic, a default and an absent one too, and importing that takes
longer than an unchanged hour takes to read its file. What is plain is the same either way, and is
taken as it stands. All else goes Typer's way, so whatever it refuses, it refuses in its own words;
a Typer that is built differently inside goes its own way with everything.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_MAX_DIGITS = 9


class NotPlain(Exception):
    """The value needs Typer to say what it means, or what is wrong with it."""


class PlainGroup(TyperGroup):
    """A group that reads plain values without pydantic, its own and its commands'."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as Typer's
        """Give the command of that name, if there is one."""
        command = super().get_command(ctx, cmd_name)
        if type(command) is TyperCommand:
            command.__class__ = _PlainCommand
        return command

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - as Typer's
        """Give the group's own options."""
        return _reading_plainly(super().get_params(ctx))


class _PlainCommand(TyperCommand):
    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - as Typer's
        return _reading_plainly(super().get_params(ctx))


def _reading_plainly(params: list[Any]) -> list[Any]:
    """Change the class of options; Typer has no place to say of which one they are made."""
    for param in params:
        if type(param) is TyperOption:
            param.__class__ = _PlainOption
        elif type(param) is TyperArgument:
            param.__class__ = _PlainArgument
    return params


class _PlainOption(TyperOption):
    def process_value(self, ctx: Any, value: object) -> object:  # noqa: ANN401 - as Typer's
        try:
            plain = plain_value_of(self, value)
        except NotPlain:
            return super().process_value(ctx, value)
        return plain if self.callback is None else self.callback(ctx, self, plain)


class _PlainArgument(TyperArgument):
    def process_value(self, ctx: Any, value: object) -> object:  # noqa: ANN401 - as Typer's
        try:
            plain = plain_value_of(self, value)
        except NotPlain:
            return super().process_value(ctx, value)
        return plain if self.callback is None else self.callback(ctx, self, plain)


def plain_value_of(param: TyperOption | TyperArgument, value: object) -> object:
    """Say what a plain value means; raise `NotPlain` where that is for Typer to say."""
    if param.multiple or param.nargs != 1 or (value is None and param.required):
        raise NotPlain
    kind = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    if value is None or (type(value) is kind and kind is not str):
        return value  # absent, or a default
    if isinstance(value, int) and kind is float:
        value = str(value)
    if not isinstance(value, str):
        raise NotPlain
    if kind is int or kind is float:
        return _plain_number(kind, value, least=param.min, most=param.max)
    return _plain_text(kind, value)


def _plain_number(
    kind: type[int] | type[float], text: str, *, least: float | None, most: float | None
) -> float:
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        number = kind(text)
        if (least is None or number >= least) and (most is None or number <= most):
            return number
    raise NotPlain


def _plain_text(kind: object, text: str) -> object:
    if kind is str:
        return text
    if kind is Path and (os.access(text, os.R_OK) or not os.access(text, os.F_OK)):
        return Path(text)
    if isinstance(kind, type) and issubclass(kind, StrEnum) and text in set(kind):
        return kind(text)
    raise NotPlain
