"""Files of one's own: a user's Python file as a module, known by its text wherever it lies.

The module's name is a stamp of the text, so that a file which is moved, or copied to a colleague, is still the same
one, and a file which is changed is another.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, ModuleType

from nomoi.errors import Refusal, nearest

OWN = "nomoi_own_"
ELSEWHERE = {"site-packages", "dist-packages"}


class _Text(importlib.machinery.SourceFileLoader):
    """Compiles the text as it is: no __pycache__ is left beside a person's file, and none of an older text is taken."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def module(path: str | Path) -> ModuleType:
    """The file as a module; one of a text that was loaded before is not loaded again."""
    path = Path(os.path.expanduser(path))  # leaves ~nobody as it is
    if path.suffix != ".py":
        raise Refusal(f"{path} is not a Python file; something like my_village.py or my_village.py:Village is right.")
    if not path.is_file():
        if not path.parent.is_dir():
            raise Refusal(f"there is no file {path}, nor a folder {path.parent}; check the path.")
        raise Refusal(
            f"there is no file {path}; {nearest(path.name, [p.name for p in path.parent.glob('*.py')], 'file')}"
        )
    path = path.resolve()
    name = stamp(path.read_bytes())
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path, loader=_Text(name, str(path)))
    if spec is None or spec.loader is None:
        raise Refusal(f"{path} cannot be loaded as a Python file.")
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # before it runs: dataclasses look their module up by name
    try:
        spec.loader.exec_module(made)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        said = str(error).split("\n")[0] or "no message"
        raise Refusal(f"{path}{_line(error, path)} cannot be loaded: {type(error).__name__}: {said}") from error
    return made


def stamp(text: bytes) -> str:
    """The name of the module that a file of this text is."""
    return OWN + hashlib.sha256(text).hexdigest()[:16]


def recover(name: str, places: Iterable[Path] = ()) -> ModuleType:
    """The module of that name, if it is loaded or one of the files in `places` has its text.

    Only a file whose text is the very one is run, and only from where a person keeps files.
    """
    if name == SCRIPT:
        return sys.modules["__main__"]
    if name in sys.modules:
        return sys.modules[name]
    for place in places:
        if place.is_file() and stamp(place.read_bytes()) == name:
            return module(place)
    tried = ", ".join(map(str, places)) or "nowhere"
    raise Refusal(f"this needs a file of one's own that is not here as it was (looked for as {tried}); put it there.")


def source(home: str) -> Path | None:
    """The file of a module that is a person's: neither nomoi's, nor installed, nor Python's own."""
    file = getattr(sys.modules.get(home), "__file__", None)
    return None if home.split(".")[0] == "nomoi" or not file or installed(file) else Path(file)


def installed(file: str) -> bool:
    """Whether a file is an installed library's, Python's own, or no Python at all."""
    elsewhere = bool(ELSEWHERE & set(Path(file).parts)) or file.startswith(sys.base_prefix + "/lib/")
    return elsewhere or not file.endswith(".py")


def _script() -> str:
    """The stamp of the script that runs, as it was when it started; empty where there is none, as in a notebook."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return stamp(Path(file).read_bytes()) if file and Path(file).is_file() else ""


SCRIPT = _script()


def _line(error: BaseException, path: Path) -> str:
    """Where in the file the error arose."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno},"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f", line {lines[-1]}," if lines else ""
