"""Settings: the documented, checked options of a situation or an institution.

A *setting* is an array leaf: it can be swept, vmapped over and differentiated, and changing it never
compiles a new program.  A *size* is static: it shapes arrays.  A *choice* is a setting with named values.
"""

from __future__ import annotations

import dataclasses
import math
import re
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
MANY, FAR = 1_000_000, 100  # the most that a size, and one of several, may be unless it says otherwise (ours)
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
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
                return jnp.asarray(value, dtype)
        except (TypeError, ValueError, OverflowError):
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


def size(
    default: Any,
    meaning: str,
    source: str = "ours",
    unit: str = "",
    low: float = -math.inf,
    high: float | None = None,
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    """A static option: a count, a name, a map.  Changing it compiles a new program.

    `low` and `high` hold for each of several numbers; `converter` makes of what is given what is kept.
    """
    high = high if high is not None else FAR if isinstance(default, tuple) else MANY
    option = Option("size", meaning, source, unit, low, high)
    more = {"converter": converter} if converter else {}
    return eqx.field(default=default, static=True, metadata={MINE: option}, **more)


def options(cls: type) -> dict[str, tuple[dataclasses.Field[Any], Option]]:
    """The documented options of a class, by name."""
    return {f.name: (f, f.metadata[MINE]) for f in dataclasses.fields(cls) if MINE in f.metadata}


class Rule(eqx.Module):
    """Base of situations and institutions: frozen, with documented settings that are checked when made."""

    presets: typing.ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __check_init__(self) -> None:
        for name, (field, option) in options(type(self)).items():
            value = getattr(self, name)
            where = f"{type(self).__name__.lower()}.{name}"
            if option.kind == "size":
                _check_size(value, option, where)
            elif not isinstance(value, jax.core.Tracer):
                _check_setting(np.asarray(value), field, option, where)

    @classmethod
    def preset(cls: type[R], name: str, **changes: Any) -> R:
        """One of the published or laptop-sized set-ups, with changes."""
        return build(cls, name, **changes)

    def replace(self: R, **changes: Any) -> R:
        """A copy with some options changed; checked like a new one."""
        known = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        _known_only(type(self), changes)
        return type(self)(**(known | changes))


def _check_size(value: Any, option: Option, where: str) -> None:
    for number in value if isinstance(value, (tuple, list)) else (value,):
        if isinstance(number, (int, float)) and not option.low <= number <= option.high:
            must = f"be at least {option.low:g}" if number < option.low else f"lie{_span(option.low, option.high)}"
            raise Refusal(f"{where} is {value}, and must {must}.")


def _check_setting(array: np.ndarray, field: dataclasses.Field[Any], option: Option, where: str) -> None:
    top = len(option.values) - 1 if option.values else option.high
    low = 0 if option.values else option.low
    fixed = _lengths(field)
    if fixed and array.shape[-len(fixed) :] != fixed:  # a sweep has more axes in front
        right = f"{math.prod(fixed)} numbers, such as {default_text(field)}, would be right"
        raise Refusal(f"{where} is {array.tolist()}; {right}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        what = "not a number (NaN)" if np.isnan(array).any() else "not finite"
        raise Refusal(f"{where} is {what}; give a number{_span(low, top)}.")
    if (array < low).any() or (array > top).any():
        raise Refusal(f"{where} is {array.tolist()}, and must lie{_span(low, top)}.")


def _lengths(field: dataclasses.Field[Any]) -> tuple[int, ...]:
    """The lengths that a setting's annotation fixes: (4,) of Float[Array, " 4"], and () of " n" or of one number."""
    found = re.search(r"Array, [\"']([\d ]+)[\"']", str(field.type))
    said = getattr(field.type, "dim_str", found[1] if found else "")
    return tuple(map(int, said.split())) if re.fullmatch(r"[\d ]*", said) else ()


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]


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
        where = f"{cls.__name__.lower()}.{name}"
        values[name] = read(value, field, option, where) if isinstance(value, str) else value
        if option.kind == "size":  # before anything is made of that size
            _check_size(values[name], option, where)
    return cls(**values)


def read(text: str, field: dataclasses.Field[Any], option: Option, where: str) -> Any:
    """A value from the text a person typed: a number, a comma list of numbers, true or false, or a name."""
    if option.kind == "choice":
        return text
    default = _default(field)
    kind = np.asarray(default).dtype.kind
    if kind in "SU":
        return text
    try:
        if kind == "b":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        several = np.ndim(default) > 0
        numbers = [_whole(part) if kind in "iu" else float(part) for part in (text.split(",") if several else [text])]
        if option.kind == "setting" and kind in "iu":
            np.array(numbers, np.int32)  # what a leaf can hold
        return numbers[0] if not several else tuple(numbers) if option.kind == "size" else numbers
    except (KeyError, ValueError, OverflowError):
        like = ",".join(map(str, np.ravel(default).tolist()))
        raise Refusal(f"{where} cannot be {text!r}; something like {like} would be right.") from None


def _whole(text: str) -> int:
    """A whole number, which may be written 2e3."""
    number = float(text)
    if number != int(number):
        raise ValueError
    return int(number)


def describe(rule: Rule) -> dict[str, Any]:
    """Every option of an instance as plain data (for people): numbers, lists, names."""
    return {name: describe_option(getattr(rule, name), option) for name, (_, option) in options(type(rule)).items()}


def describe_option(value: Any, option: Option) -> Any:
    """The value of one option as people write it."""
    if option.kind == "choice" and np.ndim(value) == 0:
        return option.values[int(value)]
    if option.kind in ("choice", "setting"):
        return _short(np.asarray(value).tolist())
    return str(value) if isinstance(value, Path) else value


def _short(value: Any) -> Any:
    """float32 numbers as people wrote them (0.1, not 0.10000000149)."""
    if isinstance(value, list):
        return [_short(v) for v in value]
    return float(np.format_float_positional(np.float32(value), trim="-")) if isinstance(value, float) else value


def default_text(field: dataclasses.Field[Any]) -> str:
    """An option's default as a person would type it."""
    default = _default(field)
    if isinstance(default, (list, tuple)):
        return ",".join(map(str, default)) if np.ndim(default) == 1 else str(default)
    return str(default)
