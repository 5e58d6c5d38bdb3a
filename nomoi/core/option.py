"""Options: what is documented about one thing that can be set, whatever carries it.

Situations, institutions and learners carry theirs as leaves of a program (`nomoi.core.settings`), models of populations
and of law as plain numbers in double precision (`nomoi.core.parameters`).  What an option says, what may be given for
it, and how typed text is read, are the same for both, and stand here.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomoi.errors import Refusal, nearest, once

if TYPE_CHECKING:
    import numpy as np  # which cards do not wait for

MINE = "nomoi"  # where a field's metadata keeps its option
MANY, FAR = 1_000_000, 100  # the most that a size, and one of several, may be unless it says otherwise (ours)
SPOKEN = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclasses.dataclass(frozen=True)
class Option:
    """What is documented about one option.

    kind    "setting" (a number or an array of numbers), "choice" (one of `values`), "size" (static: it shapes arrays)
            or "number" (a model's)
    low, high; open_low, open_high   what may be given, for each of several numbers, and whether the ends are left out
    """

    kind: str
    default: Any
    meaning: str
    source: str = "ours"
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    symbol: str = ""
    values: tuple[str, ...] = ()
    converter: Callable[[Any], Any] | None = dataclasses.field(default=None, compare=False, repr=False)

    def words(self, several: bool = False) -> str:
        """What may be given, in words."""
        if self.values:
            return f"one of {', '.join(self.values)}"
        kind = ("whole numbers" if self.whole else "numbers") if several else f"a {'whole ' * self.whole}number"
        if math.isinf(self.high):
            above = "above" if self.open_low else "of at least"
            return f"{kind} {above} {self.low:.12g}" if self.low > -math.inf else kind
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{kind} in {left}{self.low:.12g}, {self.high:.12g}{right}"

    def holds(self, numbers: np.ndarray) -> bool:
        """Whether all are numbers that may be given."""
        import numpy as np

        low, high = (0, len(self.values) - 1) if self.values else (self.low, self.high)
        above = numbers > low if self.open_low else numbers >= low
        below = numbers < high if self.open_high else numbers <= high
        whole = not self.whole or (numbers == np.trunc(numbers)).all()
        return bool((above & below & np.isfinite(numbers)).all() and whole)

    def text(self) -> str:
        """The default as a person would type it."""
        return typed(self.default)


# --- how options are declared; each carrier makes a field of what these give ---------------------------------------


def setting(
    default: Any,
    meaning: str,
    source: str = "ours",
    unit: str = "",
    low: float = -math.inf,
    high: float = math.inf,
) -> Option:
    """A number or an array of numbers, kept as an array leaf.  `source` says where the default is from."""
    return Option("setting", default, meaning, source, unit, low, high, whole=_ints(default))


def choice(default: str, values: tuple[str, ...], meaning: str, source: str = "ours") -> Option:
    """One of several named values, kept as an integer leaf (its place in `values`)."""
    return Option("choice", default, meaning, source, values=values)


def size(
    default: Any,
    meaning: str,
    source: str = "ours",
    unit: str = "",
    low: float = -math.inf,
    high: float | None = None,
    converter: Callable[[Any], Any] | None = None,
) -> Option:
    """A static option: a count, a name, a map.  Changing it compiles a new program.

    `low` and `high` hold for each of several numbers; `converter` makes of what is given what is kept.
    """
    most = high if high is not None else FAR if isinstance(default, tuple) else MANY
    return Option("size", default, meaning, source, unit, low, most, whole=_ints(default), converter=converter)


def number(
    default: float,
    symbol: str,
    meaning: str,
    source: str = "ours",
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> Option:
    """A model's real number in a domain.  `source` says where the default is from."""
    return Option("number", default, meaning, source, "", low, high, open_low, open_high, symbol=symbol)


def probability(default: float, symbol: str, meaning: str, source: str = "ours") -> Option:
    """A model's number in [0, 1]."""
    return number(default, symbol, meaning, source, 0, 1)


def count(
    default: int, symbol: str, meaning: str, source: str = "ours", low: int = 1, high: float = math.inf
) -> Option:
    """A model's whole number of at least `low`."""
    return dataclasses.replace(number(default, symbol, meaning, source, low, high), whole=True)


# --- what is said of them, and what may be given --------------------------------------------------------------------


def options(cls: type) -> dict[str, Option]:
    """The documented options of a class, by name."""
    return {f.name: f.metadata[MINE] for f in dataclasses.fields(cls) if MINE in f.metadata}


def check(value: Any, option: Option, where: str) -> None:
    """Refuse, in a sentence that names `where`, what may not be given.  Of a size, only numbers are looked at."""
    import numpy as np

    numbers = value
    if option.kind == "size":
        parts = value if isinstance(value, (tuple, list)) else (value,)
        numbers = [_float(p) for p in parts if isinstance(p, (int, float))]
    elif option.kind == "number":
        numbers = math.nan if isinstance(value, bool) or not isinstance(value, (int, float)) else _float(value)
    if not option.holds(np.asarray(numbers)):
        given = short(value.tolist()) if isinstance(value, np.ndarray) else value
        raise Refusal(f"{where} is {given!r}; {option.words(np.ndim(value) > 0)} would be right.")


def plain(value: Any) -> Any:
    """A number, or several, of NumPy's or JAX's as Python's own, which mean the same and name the same records."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _tuples(value.tolist())
    several = isinstance(value, (tuple, list)) and not hasattr(value, "_fields")
    return type(value)(map(plain, value)) if several else value


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _ints(value: Any) -> bool:
    """Whether it is a whole number, or several and nothing else."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_ints, value))
    return isinstance(value, int) and not isinstance(value, bool)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def known(cls: type, names: Iterable[str]) -> None:
    """Refuse a name that is no option of the class."""
    for name in names:
        if name not in options(cls):
            raise Refusal(f"{cls.__name__.lower()} has no option {name!r}; {nearest(name, options(cls), 'option')}")


def describe_option(value: Any, option: Option) -> Any:
    """The value of one option as people write it."""
    import numpy as np

    if option.kind == "choice" and np.ndim(value) == 0:
        return option.values[int(value)]
    if option.kind in ("choice", "setting"):
        return short(np.asarray(value).tolist())
    return str(value) if isinstance(value, Path) else value


def short(value: Any) -> Any:
    """float32 numbers as people wrote them (0.1, not 0.10000000149)."""
    import numpy as np

    if isinstance(value, list):
        return [short(v) for v in value]
    return float(np.format_float_positional(np.float32(value), trim="-")) if isinstance(value, float) else value


def typed(value: Any) -> str:
    """A value as a person would type it."""
    if isinstance(value, (list, tuple)):
        return str(value) if any(isinstance(part, (list, tuple)) for part in value) else ",".join(map(str, value))
    return str(value)


def written(value: Any, option: Option) -> str:
    """The value of one option as a person would type it."""
    value = describe_option(value, option)
    if isinstance(option.default, tuple) and isinstance(value, list):
        value = _tuples(value)
    if isinstance(option.default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return typed(value)


# --- what a person typed --------------------------------------------------------------------------------------------


def read(text: str, option: Option, where: str) -> Any:
    """A value of an option from the text a person typed."""
    if option.kind == "choice":
        return text
    leaf = option.kind == "setting" and option.whole
    return like(option.default, text, where, most=2**31 if leaf else 2**63)


def like(old: Any, text: str, where: str, most: int = 2**63) -> Any:
    """A value of the kind of `old` from the text a person typed; its numbers are finite, and smaller than `most`.

    A number, true or false, a word, several with commas between them; or, as JSON, lists and tables.
    """
    if isinstance(old, str) or (isinstance(old, (list, tuple)) and old and isinstance(old[0], str)):
        return text
    try:
        new = _typed(old, text, where)
        if not _fits(old, new, most):
            raise ValueError
    except (KeyError, ValueError, OverflowError, RecursionError):
        raise Refusal(f"{where} cannot be {text!r}; something like {typed(old)} would be right.") from None
    return tuple(new) if isinstance(old, tuple) and isinstance(new, list) else new


def _typed(old: Any, text: str, where: str) -> Any:
    if isinstance(old, bool):
        return SPOKEN[text.lower()]
    if isinstance(old, int):
        return _whole(text)
    if isinstance(old, float):
        return float(text) + 0.0  # nothing has no sign
    flat = isinstance(old, (list, tuple)) and not (old and isinstance(old[0], (list, tuple)))
    if flat and not text.lstrip().startswith("["):
        return [_typed(old[0] if old else 0.0, part, where) for part in text.split(",")]
    return json.loads(text, object_pairs_hook=lambda pairs: once(pairs, where))


def _whole(text: str) -> int:
    """A whole number, which may be written 2e3."""
    number = float(text)
    if number != int(number):
        raise ValueError
    return int(text) if text.strip().lstrip("+-").isdigit() else int(number)


def _fits(old: Any, new: Any, most: int) -> bool:
    """Whether a value is of the kind of another, and so is all that it holds, as far as that goes."""
    if isinstance(old, (list, tuple)) and isinstance(new, list):
        return bool(new) and (not old or all(_fits(old[0], part, most) for part in new))
    number = isinstance(old, (int, float)) and not isinstance(old, bool)
    if number and isinstance(new, (int, float)) and not isinstance(new, bool):
        return abs(new) < most and (isinstance(old, float) or isinstance(new, int))  # false for NaN
    return type(new) is type(old)
