"""Settings: the documented, checked options of a situation or an institution.

A *setting* is an array leaf: it can be swept, vmapped over and differentiated, and changing it never
compiles a new program.  A *size* is static: it shapes arrays.  A *choice* is a setting with named values.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.errors import Refusal, nearest

MINE = "nomoi"
R = typing.TypeVar("R", bound="Rule")


@dataclasses.dataclass(frozen=True)
class Option:
    """What is documented about one option."""

    kind: str  # "setting", "choice" or "size"
    meaning: str
    source: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    values: tuple[str, ...] = ()


def _leaf(default: Any) -> Callable[[Any], Any]:
    dtype = {"b": jnp.bool_, "i": jnp.int32, "u": jnp.int32, "f": jnp.float32}[np.asarray(default).dtype.kind]

    def convert(value: Any) -> Any:
        try:
            return jnp.asarray(value, dtype)
        except (TypeError, ValueError):
            raise Refusal(f"{value!r} is not a number where {np.asarray(default).tolist()!r} would be right.") from None

    return convert


def setting(
    default: Any,
    meaning: str,
    source: str = "ours",
    unit: str = "",
    low: float = -math.inf,
    high: float = math.inf,
) -> Any:
    """A number or an array of numbers, kept as an array leaf.  `source` says where the default is from."""
    option = Option("setting", meaning, source, unit, low, high)
    return eqx.field(default_factory=lambda: default, converter=_leaf(default), metadata={MINE: option})


def choice(default: str, values: tuple[str, ...], meaning: str, source: str = "ours") -> Any:
    """One of several named values, kept as an integer leaf (its place in `values`)."""
    option = Option("choice", meaning, source, values=values)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            if value not in values:
                raise Refusal(f"{value!r} is not one of the choices; {nearest(value, values, 'choice')}")
            value = values.index(value)
        return jnp.asarray(value, jnp.int32)

    return eqx.field(default_factory=lambda: default, converter=convert, metadata={MINE: option})


def size(default: Any, meaning: str, source: str = "ours", unit: str = "", low: float = -math.inf) -> Any:
    """A static option: a count, a name, a map.  Changing it compiles a new program."""
    return eqx.field(default=default, static=True, metadata={MINE: Option("size", meaning, source, unit, low)})


def options(cls: type) -> dict[str, tuple[dataclasses.Field[Any], Option]]:
    """The documented options of a class, by name."""
    return {f.name: (f, f.metadata[MINE]) for f in dataclasses.fields(cls) if MINE in f.metadata}


class Rule(eqx.Module):
    """Base of situations and institutions: frozen, with documented settings that are checked when made."""

    presets: typing.ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __check_init__(self) -> None:
        for name, (_, option) in options(type(self)).items():
            value = getattr(self, name)
            where = f"{type(self).__name__.lower()}.{name}"
            if option.kind == "size":
                if isinstance(value, (int, float)) and value < option.low:
                    raise Refusal(f"{where} is {value}, and must be at least {option.low:g}.")
                continue
            if isinstance(value, jax.core.Tracer):
                continue
            array = np.asarray(value)
            top = len(option.values) - 1 if option.values else option.high
            low = 0 if option.values else option.low
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise Refusal(f"{where} is not a number (NaN); give a number{_span(low, top)}.")
            if (array < low).any() or (array > top).any():
                raise Refusal(f"{where} is {array.tolist()}, and must lie{_span(low, top)}.")

    @classmethod
    def preset(cls: type[R], name: str, **changes: Any) -> R:
        """One of the published or laptop-sized set-ups, with changes."""
        return build(cls, name, **changes)

    def replace(self: R, **changes: Any) -> R:
        """A copy with some options changed; checked like a new one."""
        known = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        _known_only(type(self), changes)
        return type(self)(**(known | changes))


def _span(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    if math.isinf(high):
        return f" at or above {low:g}"
    return f" between {low:g} and {high:g}" if not math.isinf(low) else f" at or below {high:g}"


def _known_only(cls: type, named: Mapping[str, Any]) -> None:
    known = options(cls)
    for name in named:
        if name not in known:
            raise Refusal(f"{cls.__name__.lower()} has no option {name!r}; {nearest(name, known, 'option')}")


def build(cls: type[Rule], preset: str | None = None, **named: Any) -> Any:
    """An instance from a preset and named options; text values are read as what the option expects."""
    _known_only(cls, named)
    values: dict[str, Any] = {}
    if preset is not None:
        if preset not in cls.presets:
            raise Refusal(f"{cls.__name__.lower()} has no preset {preset!r}; {nearest(preset, cls.presets, 'preset')}")
        values |= cls.presets[preset]
    for name, value in named.items():
        field, option = options(cls)[name]
        values[name] = read(value, field, option, f"{cls.__name__.lower()}.{name}") if isinstance(value, str) else value
    return cls(**values)


def read(text: str, field: dataclasses.Field[Any], option: Option, where: str) -> Any:
    """A value from the text a person typed: a number, a comma list of numbers, true or false, or a name."""
    if option.kind == "choice":
        return text
    default = field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]
    kind = np.asarray(default).dtype.kind if option.kind == "setting" else type(default).__name__[0]
    if kind in "sU":
        return text
    try:
        if kind == "b":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        number = int if kind in "iu" else float
        if option.kind == "setting" and np.ndim(default):
            return [number(part) for part in text.split(",")]
        if kind == "t":
            return tuple(type(default[0])(part) for part in text.split(","))
        return number(float(text)) if number is int and float(text) == int(float(text)) else number(text)
    except (KeyError, ValueError, OverflowError):
        like = ",".join(map(str, np.ravel(default).tolist()))
        raise Refusal(f"{where} cannot be {text!r}; something like {like} would be right.") from None


def describe(rule: Rule) -> dict[str, Any]:
    """Every option of an instance as plain data (for records): numbers, lists, names."""
    out: dict[str, Any] = {}
    for name, (_, option) in options(type(rule)).items():
        value = getattr(rule, name)
        if option.kind == "choice":
            value = option.values[int(value)]
        elif option.kind == "setting":
            value = np.asarray(value).tolist()
            value = _short(value)
        elif isinstance(value, Path):
            value = str(value)
        out[name] = value
    return out


def _short(value: Any) -> Any:
    """float32 numbers as people wrote them (0.1, not 0.10000000149)."""
    if isinstance(value, list):
        return [_short(v) for v in value]
    return float(np.format_float_positional(np.float32(value), trim="-")) if isinstance(value, float) else value


def default_text(field: dataclasses.Field[Any]) -> str:
    """An option's default as a person would type it."""
    default = field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]
    if isinstance(default, (list, tuple)):
        return ",".join(map(str, default)) if np.ndim(default) == 1 else str(default)
    return str(default)
