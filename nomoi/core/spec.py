"""spec and rebuild: a thing as plain data, and the thing again.

Situations, institutions, learners, scripts, objectives, models and trials are frozen classes whose fields say all
about them.  `spec` writes down class and fields, and those of their parts, as JSON can hold them; `rebuild` makes the
same thing of it, leaf by leaf.

>>> from nomoi.core.spec import rebuild, spec
>>> from nomoi.situations.pool import Pool
>>> spec(Pool(agents=3))["options"]["agents"], rebuild(spec(Pool(agents=3))).agents
(3, 3)
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.core.option import describe_option, options
from nomoi.core.own import OWN, SCRIPT, recover, source, stamp
from nomoi.errors import Refusal

MARKS = ("class", "type", "function", "tuple", "table", "array", "float", "path")  # how data says what it is


def spec(thing: Any) -> Any:
    """The thing as plain data; refused in a sentence where it holds what cannot be written down."""
    if thing is None or isinstance(thing, (bool, str, int)):
        return thing
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else {"float": repr(float(thing))}
    if isinstance(thing, list):
        return [spec(part) for part in thing]
    if isinstance(thing, tuple):
        return {"tuple": [spec(part) for part in thing]}
    if isinstance(thing, Mapping):
        return _table(thing)
    if isinstance(thing, type):
        return {"type": address(thing)}
    if isinstance(thing, types.FunctionType):
        return {"function": address(thing)}
    if isinstance(thing, Path):
        return {"path": str(thing)}
    if isinstance(thing, (np.ndarray, np.generic)) and not thing.ndim and thing.dtype in (np.bool_, np.int64, float):
        return spec(thing.item())  # Python's own say the same
    jax = sys.modules.get("jax")  # where it is not loaded, nothing is an array of its
    if isinstance(thing, (np.ndarray, np.generic)) or (jax and isinstance(thing, jax.Array)):
        array = np.asarray(thing)
        return {"array": spec(array.tolist()), "dtype": str(array.dtype)}
    if dataclasses.is_dataclass(thing):
        return {"class": address(type(thing)), "options": fields(thing)}
    raise Refusal(f"{thing!r} cannot be written down in a record; numbers, texts, lists, tables, arrays and frozen "
                  "dataclasses can.")  # fmt: skip


def fields(thing: Any, without: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass as plain data; documented options as people write them."""
    documented, out = options(type(thing)), {}
    for field in dataclasses.fields(thing):
        if field.init and field.name not in without:
            value = getattr(thing, field.name)
            option = documented.get(field.name)
            out[field.name] = spec(value) if option is None else spec(_untupled(describe_option(value, option)))
    return out


def rebuild(data: Any, places: Iterable[Path] = ()) -> Any:
    """The thing that `spec` wrote down; `places` are where files of one's own may lie."""
    places = list(places)
    if isinstance(data, list):
        return [rebuild(part, places) for part in data]
    if not isinstance(data, Mapping):
        return data
    mark = next((mark for mark in MARKS if mark in data), "")
    if not mark:
        return {name: rebuild(value, places) for name, value in data.items()}
    value = data[mark]
    if mark == "class":
        return _made(at(value, places), data["options"], places)
    if mark in ("type", "function"):
        return at(value, places)
    if mark == "tuple":
        return tuple(rebuild(part, places) for part in value)
    if mark == "table":
        return {rebuild(k, places): rebuild(v, places) for k, v in value}
    if mark == "array":
        array = np.asarray(rebuild(value, places), data["dtype"])
        return array if array.ndim else array[()]
    return float(value) if mark == "float" else Path(value)


def _made(cls: Any, given: Mapping[str, Any], places: list[Path]) -> Any:
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):  # a file of data shall call nothing else
        raise Refusal(f"{getattr(cls, '__name__', cls)} is not what a record is made of; frozen dataclasses are.")
    values = {name: rebuild(value, places) for name, value in given.items()}
    for name, option in options(cls).items():
        if option.kind == "size" and name in values:
            values[name] = _tupled(values[name])
    try:
        return cls(**values)
    except TypeError as error:
        raise Refusal(f"{cls.__name__} cannot be made as it was kept ({error}); it has changed since.") from None


def address(thing: Any) -> str:
    """How records name a class or a function: its module, or a stamp of the text of one's own file, and its name."""
    name = thing.__qualname__
    if "<" in name:
        raise Refusal(f"{name!r} has no name of its own in a file, and records go by that name; give it one.")
    found: Any = sys.modules.get(thing.__module__)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not thing:  # a wrapper that took the name of what it wraps
        raise Refusal(f"under the name {thing.__module__}:{name} stands another, and records go by names; give it its "
                      "own.")  # fmt: skip
    home = (SCRIPT or "__main__") if thing.__module__ == "__main__" else thing.__module__  # a script is one's own file
    return f"{home}:{name}"


def at(address: str, places: Iterable[Path] = ()) -> Any:
    """The class or function at an address: nomoi's, of a file of one's own, or of what a person has loaded already.

    Data of others load nothing else.
    """
    home, _, name = str(address).partition(":")
    if home.split(".")[0] != "nomoi" and not home.startswith(OWN) and home != "__main__" and source(home) is None:
        raise Refusal(f"{address} is neither nomoi's nor of a file that is loaded here; load it first.")
    try:
        found: Any = recover(home, places) if home.startswith(OWN) else importlib.import_module(home)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        raise Refusal(f"there is no {address} here; it was there when the record was made.") from None
    return found


def addresses(data: Any) -> Iterator[str]:
    """All addresses that a spec names."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name in ("class", "type", "function") and isinstance(value, str) and ":" in value:
                yield value
            else:
                yield from addresses(value)
    elif isinstance(data, list):
        for part in data:
            yield from addresses(part)


def own(data: Any) -> dict[str, Path]:
    """Where the files of one's own lie that a spec names, by their stamps; one changed since it ran is left out."""
    homes = {a.partition(":")[0] for a in addresses(data)}
    files = {home: Path(str(recover(home).__file__)) for home in homes if home.startswith(OWN)}
    return {home: file for home, file in files.items() if file.is_file() and stamp(file.read_bytes()) == home}


def near(places: Iterable[Any], but: Path | None = None) -> list[Path]:
    """Where files of one's own are looked for: where they were, and in the folder one stands in.

    Never in the folder `but`, which may have come from somebody else with all that is in it.
    """
    where = [Path(place) for place in places if isinstance(place, str)]
    away = [place for place in where if but is None or but.resolve() not in place.resolve().parents]
    return [*away, *(Path.cwd() / place.name for place in where)]


def _table(table: Mapping[Any, Any]) -> dict[str, Any]:
    if all(isinstance(name, str) for name in table) and not set(MARKS) & set(table):
        return {name: spec(value) for name, value in table.items()}
    return {"table": [[spec(name), spec(value)] for name, value in table.items()]}


def _untupled(value: Any) -> Any:
    return [_untupled(part) for part in value] if isinstance(value, (tuple, list)) else value


def _tupled(value: Any) -> Any:
    return tuple(_tupled(part) for part in value) if isinstance(value, list) else value
