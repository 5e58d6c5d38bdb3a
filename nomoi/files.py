"""Files that a person asks for (pages, pictures, films), and those of data that a machine has of its own."""

from __future__ import annotations

import contextlib
import csv
import errno
import itertools
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from nomoi.errors import Missing, Refusal, nearest, once, printable

# how plain words of YAML 1.2 are told from numbers and truth: tag, pattern, first letters
_PLAIN = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
              r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+0123456789."),
    ("null", r"^(?:~|null|Null|NULL|)$", ("~", "n", "N", "")),
)  # fmt: skip
DEEP = 100  # levels of a file of data (ours)
DATA = "NOMOI_DATA"  # the folder of data that are too large, or not licensed, to come with nomoi


def data(name: str | Path) -> Path:
    """A file or folder of this machine's own data, by its place in the folder that NOMOI_DATA names.

    Raises `Missing` where there is none: tests that need it are skipped, and claims about it are not tested.
    """
    place = os.environ.get(DATA, "")
    folder = Path(place).expanduser()
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Refusal(f"{name} is not a place inside {DATA}; a path without a / before it and without .. is right.")
    if not place:
        raise Missing(f"{name} does not come with nomoi; set {DATA} to a folder that has it (export {DATA}=/my/data).")
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}, to which {DATA} is set; set it to the one that has {name}.")
    if not path.exists():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else [p.name for p in folder.iterdir()]
        raise Missing(f"there is no {name} in {folder} ({DATA}); {nearest(path.name, there, 'file')}")
    return path


def text(path: str | Path, what: str = "") -> str:
    """The text of a file in UTF-8; a mark of the order of its bytes, as some editors write it, is read over.

    `what` is what the sentence calls it that refuses a file which is no such text.
    """
    what = what or str(path)
    try:
        found = Path(path).read_text(encoding="utf-8-sig")
        if (nul := found.count("\0")) > len(found) / 4:  # of two bytes a letter, without a mark of it
            raise UnicodeError
        if nul:
            line = found.count("\n", 0, found.index("\0")) + 1
            raise Refusal(f"{what}, line {line} has a character of code 0 (NUL), which no text has; take it out.")
    except UnicodeError:
        raise Refusal(f"{what} cannot be read as text, since its letters are not those of UTF-8; save it as UTF-8.") \
            from None  # fmt: skip
    except OSError as error:
        raise Refusal(f"{what} cannot be read as text ({why(error)}); check the path.") from None
    return found


def table(path: str | Path, ends: Sequence[str] = (".yaml", ".yml", ".json", ".toml")) -> dict[str, Any]:
    """What a file of a person's own says, as plain data; nothing in it is ever run.

    YAML is read as its version 1.2 has it, where that matters: 1e-3 is a number and `no` is a word.  A key that stands
    twice, tags of Python objects and aliases (which can blow a small file up to gigabytes) are refused.
    """
    path, end = Path(path), Path(path).suffix.lower()
    if end not in ends:
        raise Refusal(f"{path} must end in {', '.join(ends[:-1])} or {ends[-1]}.")
    if not path.is_file():
        raise Refusal(f"there is no file {path}; check the path.")
    said = text(path)
    try:
        if end == ".json":
            found = shallow(lambda: json.loads(said, object_pairs_hook=lambda pairs: once(pairs, str(path))), path)
        elif end == ".toml":
            found = shallow(lambda: tomllib.loads(said), path)
        else:
            found = _yaml(said, path)
    except ValueError as error:  # of JSON and of TOML, and of numbers of thousands of digits
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        problem = getattr(error, "msg", "") or str(error)
        if "int_max_str_digits" in problem:  # the library's advice is for programmers
            problem = "a number has thousands of digits"
        raise Refusal(f"{path}{line} cannot be read: {printable(' '.join(str(problem).split()))}.") from None
    if not isinstance(found, dict):
        raise Refusal(f"{path} is no table of names and values; lines such as `title: ...` would be right.")
    return found


def shallow(read: Callable[[], Any], where: str | Path) -> Any:
    """The data that `read` gives; a `Refusal` where they are nested too deeply for it, or for whoever walks through."""
    too_deep = Refusal(f"{where} is nested more than {DEEP} times; take it apart.")
    try:
        level = [found := read()]
    except RecursionError:
        raise too_deep from None
    for _ in range(DEEP):
        inner = [x.values() if isinstance(x, dict) else x for x in level if isinstance(x, (dict, list))]
        level = list(itertools.chain.from_iterable(inner))
    if any(isinstance(x, (dict, list)) for x in level):
        raise too_deep
    return found


def _yaml(said: str, path: Path) -> Any:
    """The data that a text in YAML is."""
    import yaml

    class Loader(yaml.SafeLoader):  # a safe loader, with numbers and truth as in YAML 1.2
        yaml_implicit_resolvers: ClassVar[Any] = {}

    for tag, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))

    def number(loader: Any, node: Any) -> float:
        return float(re.sub(r"^([-+]?)\.(?=[iInN])", r"\1", node.value))

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        where = f"{path}, line {node.start_mark.line + 1},"
        pairs = [(loader.construct_object(k, True), loader.construct_object(v, True)) for k, v in node.value]
        for name, _ in pairs:
            if not isinstance(name, (str, int, float, bool)):
                raise Refusal(f"{where} has a key that is no word.")
        return once(((str(k), v) for k, v in pairs), where)

    # the library's own reading of numbers would make 010 an eight and 1:30 a ninety
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
    Loader.add_constructor("tag:yaml.org,2002:float", number)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    try:
        depth = 0
        for event in yaml.parse(said, Loader):
            if isinstance(event, yaml.AliasEvent):
                raise Refusal(f"{path} repeats a part by an alias (*name); write the part out.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEP:  # which the library would work at for minutes
                line = event.start_mark.line + 1
                raise Refusal(f"{path}, line {line} is nested more than {DEEP} times; take it apart.")
        return yaml.load(said, Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise Refusal(f"{path}{line} cannot be read: {printable(str(problem))}.") from None


def closed(path: str | Path, lines: Iterable[str], separator: str = ",", spaces: bool = False) -> None:
    """Refuse a CSV in which a quote is not closed, with the line where it opens: it swallows the rows that follow.

    A cell of several lines may be, but then a separator follows its last quote.  spaces: quotes may open after some.
    """
    ended = itertools.chain(lines, ["the end"])  # so that what the last line leaves open goes on after it
    rows, read = csv.reader(ended, delimiter=separator, skipinitialspace=spaces, strict=True), 0
    while True:
        try:
            next(rows)
        except StopIteration:
            return
        except csv.Error:
            if rows.line_num > read + 1:  # else no other row is touched, and whoever reads it may judge
                raise Refusal(f"{path}, line {read + 1} has a quote that is not closed, so that the rows after it are "
                              "read as part of one cell; close it, or leave it out.") from None  # fmt: skip
        read = rows.line_num


def write(path: str | Path, content: str | bytes) -> Path:
    """Write a file in one step: readers see the old one or the new one, never half.

    A link stays, and what it leads to is written; what is no regular file (a pipe, a device) is written through.
    """
    path, data = Path(path), content.encode("utf-8", "replace") if isinstance(content, str) else content
    with _writing(path):
        if _through(path):
            path.write_bytes(data)
            return path
        place = _end(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(place)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, place)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def check_place(path: str | Path, out: str | Path | None = None, keep: str | Path | None = None) -> None:
    """Refuse, before anything is run, a path that `write` could not write.

    Or one that is a folder or will be: that of the records in `out`, that of a summary in `keep`.  Nothing goes in
    among the records.
    """
    path = Path(path)
    with _writing(path):
        place = _end(path)
        ours = [Path(os.path.realpath(out)) / part for part in ("records", "unfinished")] if out else []
        folders = [*ours, *([Path(os.path.realpath(keep))] if keep else [])]
        if path.is_dir() or any(place in (folder, *folder.parents) for folder in folders):
            raise Refusal(f"{path} is a folder, or will be, and a file is to be written; give the name of a file.")
        if any(folder in place.parents for folder in ours):
            raise Refusal(f"{path} is among the records of {out}, where nothing else is kept; give another path.")
        if _through(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        there = next(p for p in place.parents if p.exists())
        if max(len(os.fsencode(part)) for part in place.parts) > os.pathconf(there, "PC_NAME_MAX"):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        temporary = _beside(there / place.name)
        try:
            temporary.touch()
        finally:
            temporary.unlink(missing_ok=True)


def _through(path: Path) -> bool:
    """Whether what is there is a pipe or a device, or is this process's own output."""
    return path.exists() and (not path.is_file() or str(path.absolute()).startswith(("/dev/", "/proc/")))


def _end(path: Path) -> Path:
    """What links lead to, whether it is there or not."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return place


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{os.getpid()}")


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong with one file into a sentence."""
    try:
        yield
    except OSError as error:
        raise Refusal(f"{path} cannot be written ({why(error)}); make room or give another path.") from None


def why(error: OSError) -> str:
    """What the system says, in words."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else error.strerror or str(error)
