"""Settings: the documented, checked options of a situation, an institution or a learner.

A *setting* is an array leaf: it can be swept, vmapped over and differentiated, and changing it never
compiles a new program.  A *size* is static: it shapes arrays.  A *choice* is a setting with named values.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import option as said
from nomoi.core.option import MINE, Option, known, options, read, short, typed
from nomoi.errors import Refusal, nearest

P = typing.ParamSpec("P")
R = typing.TypeVar("R", bound="Rule")


def _numbers(option: Option) -> Callable[[Any], Any]:
    default = np.asarray(option.default)
    dtype = {"b": jnp.bool_, "i": jnp.int32, "u": jnp.int32, "f": jnp.float32}[default.dtype.kind]

    def convert(value: Any) -> Any:
        try:
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
                return jnp.asarray(value, dtype)
        except (TypeError, ValueError, OverflowError):
            raise Refusal(f"{value!r} is not a number where {default.tolist()!r} would be right.") from None

    return convert


def _place(option: Option) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, str):
            if value not in option.values:
                raise Refusal(f"{value!r} is not one of the choices; {nearest(value, option.values, 'choice')}")
            value = option.values.index(value)
        return jnp.asarray(value, jnp.int32)

    return convert


def _field(option: Option) -> Any:
    """The field of a module that carries an option: an array leaf, or static."""
    if option.kind == "size":
        kept = option.converter or (lambda value: value)
        convert = lambda value: kept(said.plain(value))  # noqa: E731
        return eqx.field(default=option.default, static=True, metadata={MINE: option}, converter=convert)
    converter = _place(option) if option.values else _numbers(option)
    return eqx.field(default_factory=lambda: option.default, converter=converter, metadata={MINE: option})


def _carried(declare: Callable[P, Option]) -> Callable[P, Any]:
    def field(*args: P.args, **named: P.kwargs) -> Any:
        return _field(declare(*args, **named))

    field.__name__, field.__doc__ = declare.__name__, declare.__doc__
    return field


setting, choice, size = _carried(said.setting), _carried(said.choice), _carried(said.size)


class Rule(eqx.Module):
    """Base of situations and institutions: frozen, with documented settings that are checked when made."""

    presets: typing.ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __check_init__(self) -> None:
        for field in dataclasses.fields(self):
            if MINE in field.metadata:
                _check(getattr(self, field.name), field, f"{type(self).__name__.lower()}.{field.name}")

    @classmethod
    def preset(cls: type[R], name: str, **changes: Any) -> R:
        """One of the published or laptop-sized set-ups, with changes."""
        return build(cls, name, **changes)

    def replace(self: R, **changes: Any) -> R:
        """A copy with some options changed; checked like a new one."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        known(type(self), changes)
        return type(self)(**(fields | changes))


def _check(value: Any, field: dataclasses.Field[Any], where: str) -> None:
    option: Option = field.metadata[MINE]
    if option.kind != "size":
        if isinstance(value, jax.core.Tracer):
            return
        value, fixed = np.asarray(value), _lengths(field)
        if fixed and value.shape[-len(fixed) :] != fixed:  # a sweep has more axes in front
            right = f"{math.prod(fixed)} numbers, such as {typed(option.default)}, would be right"
            raise Refusal(f"{where} is {short(value.tolist())}; {right}.")
    said.check(value, option, where)


def _lengths(field: dataclasses.Field[Any]) -> tuple[int, ...]:
    """The lengths that a setting's annotation fixes: (4,) of Float[Array, " 4"], and () of " n" or of one number."""
    found = re.search(r"Array, [\"']([\d ]+)[\"']", str(field.type))
    words = getattr(field.type, "dim_str", found[1] if found else "")
    return tuple(map(int, words.split())) if re.fullmatch(r"[\d ]*", words) else ()


def build(cls: type[Rule], preset: str | None = None, **named: Any) -> Any:
    """An instance from a preset and named options; text values are read as what the option expects."""
    known(cls, named)
    values: dict[str, Any] = {}
    if preset is not None:
        if preset not in cls.presets:
            raise Refusal(f"{cls.__name__.lower()} has no preset {preset!r}; {nearest(preset, cls.presets, 'preset')}")
        values |= cls.presets[preset]
    for name, value in named.items():
        option, where = options(cls)[name], f"{cls.__name__.lower()}.{name}"
        values[name] = read(value, option, where) if isinstance(value, str) else said.plain(value)
        if option.kind == "size":  # before anything is made of that size
            said.check(values[name], option, where)
    return cls(**values)


def describe(rule: Rule) -> dict[str, Any]:
    """Every option of an instance as plain data (for people): numbers, lists, names."""
    return {name: said.describe_option(getattr(rule, name), option) for name, option in options(type(rule)).items()}


def changed(rule: Rule) -> dict[str, str]:
    """The options of an instance that are not the default's, as a person would type them."""
    told = {name: (said.written(getattr(rule, name), option), option) for name, option in options(type(rule)).items()}
    return {name: now for name, (now, option) in told.items() if now != option.text()}
