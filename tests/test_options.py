"""Every event, every option of a situation, institution, learner or model with its range, and every preset.

Each has a source, so none changes by chance: what stands in the code is held against a table, `options.txt`.  Who
changes one on purpose writes the table anew (`python tests/test_options.py`) and reads what that changed.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from nomoi import core, institutions, law, learners, populations, scripts, situations
from nomoi.core.events import VOCABULARY
from nomoi.core.option import Option, options
from nomoi.core.parameters import Parameters

TABLE = Path(__file__).with_name("options.txt")


def classes(package: ModuleType) -> Iterator[type]:
    """The classes of a package, each from its own file."""
    for file in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for thing in vars(importlib.import_module(file.name)).values():
            if isinstance(thing, type) and thing.__module__ == file.name:
                yield thing


def where(option: Option) -> str:
    if option.values:
        return "one of " + ", ".join(option.values)
    return f"in [{option.low:g}, {option.high:g}]" if (option.low, option.high) != (-float("inf"), float("inf")) else ""


def described() -> Iterator[str]:
    """One line for each."""
    for name, event in VOCABULARY.items():
        yield f"event {name} = {event.shape} {event.unit}, {'an amount' if event.good else 'a label'}"
    for package in (core, situations, institutions, learners, scripts, populations, law):
        for cls in classes(package):
            name = f"{cls.__module__.removeprefix('nomoi.')}.{cls.__name__}"
            if issubclass(cls, Parameters) and cls is not Parameters:
                for key, option in options(cls).items():
                    yield f"{name}.{key} = {option.default:g}; {option.words()}"
            elif hasattr(cls, "__dataclass_fields__"):
                for key, option in options(cls).items():
                    parts = (f"{name}.{key} = {option.text()}", option.unit, where(option))
                    if key in cls.__annotations__:  # what is inherited stands where it is from
                        yield "; ".join(part for part in parts if part)
            for preset, values in sorted(getattr(cls, "presets", {}).items()):
                yield f"{name}, preset {preset}: " + "; ".join(f"{k} = {v}" for k, v in values.items())


def test_options_are_what_their_sources_say():
    assert list(described()) == TABLE.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    TABLE.write_text("\n".join(described()) + "\n", encoding="utf-8")
