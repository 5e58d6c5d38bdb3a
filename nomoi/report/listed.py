"""All that has a name in nomoi, kind by kind, each with its first sentence; read from the text of files."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from nomoi import catalogue, files
from nomoi.core import written
from nomoi.errors import Refusal, nearest

# kind -> what there are several of
KINDS = {
    "situation": "situations", "institution": "institutions", "script": "scripts", "learner": "learners",
    "objective": "objectives", "measure": "measures", "model": "models of populations and of law", "study": "studies",
    "family": "families of studies", "game": "games that `solve` knows",
    "folly": "follies: rewarding A while hoping for B",
}  # fmt: skip
EVENTS = "nomoi.core.events"
FOLLIES = Path(__file__).parents[1] / "proxies" / "data" / "follies.yaml"


@dataclasses.dataclass(frozen=True)
class Thing:
    """One thing that has a name.

    said   its first sentence;  note   what is said more quietly: presets, a unit, a source
    rows   what its card tells beside a text: (what, value);  written   the class that it is, where it is one
    """

    kind: str
    name: str
    said: str
    note: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    written: written.Class | None = None


@lru_cache
def listed(kind: str, word: str = "") -> tuple[Thing, ...]:
    """All things of a kind, or those of a name, for which only files that speak of it are read."""
    if kind not in KINDS:
        raise Refusal(f"there is no kind {kind!r}; {nearest(kind, KINDS, 'kind')}")
    others = {"measure": _measures, "study": _studies, "family": _families, "game": _games,
              "folly": _follies}  # fmt: skip
    found = others[kind](word) if kind in others else _classes(kind, word)
    return tuple(thing for thing in found if word in ("", thing.name))


def single(kind: str) -> str:
    """The word for one of a kind, of which several were asked for: `nomoi list scripts`."""
    several = {k: words.split(":")[0].split()[0] for k, words in KINDS.items()}
    return next((k for k, words in several.items() if kind.lower() in (k, f"{k}s", words)), kind)


def named(word: str) -> list[Thing]:
    """All things of a name, or of a name and a kind (`study:altar`)."""
    kind, colon, name = word.partition(":")
    kinds, name = ([single(kind)], name) if colon else (list(KINDS), word)
    found = [thing for k in kinds for thing in listed(k, name.lower())] if name else []
    if not found:
        offer = nearest(name.lower(), {thing.name for k in kinds for thing in listed(k)})
        if not offer.startswith("did") and not colon:  # all names are too many for a sentence
            offer = "`nomoi list` has all names."
        raise Refusal(f"there is {f'no {kind}' if colon else 'nothing'} called {name!r}; {offer}")
    return found


def sentence(card: str) -> str:
    """The first sentence of a card."""
    return re.split(r"(?<! al)\. ", " ".join(card.split("\n\n")[0].split()))[0].rstrip(".") + "."


def _classes(kind: str, word: str) -> Iterator[Thing]:
    for cls in catalogue.texts(kind, word):
        presets = ", ".join(catalogue.presets(cls))
        yield Thing(kind, cls.name.lower(), sentence(cls.card), f"({presets})" * bool(presets), written=cls)


# --- studies and games ----------------------------------------------------------------------------------------------


def _studies(word: str) -> Iterator[Thing]:
    for name, (_, question, *_) in _told("STUDY", word).items():
        families = [thing.name for thing in listed("family") if name in thing.rows[0][1].split(", ")]
        rows = (("part of", ", ".join(families)),) * bool(families)
        yield Thing("study", name, question, rows=(*rows, ("to run it", f"nomoi run {name}")))


def _families(word: str) -> Iterator[Thing]:
    for name, (_, question, studies) in _told("FAMILY", word).items():
        rows = (("studies", ", ".join(ast.literal_eval(studies))), ("to run it", f"nomoi run {name}"))
        yield Thing("family", name, question, rows=rows)


def _told(what: str, word: str) -> dict[str, list[str]]:
    """What files of studies say of their STUDY or FAMILY, argument by argument; only those lines are read."""
    out = {}
    for file in written.files("nomoi.studies"):
        whole = written.text(file) if file.endswith(f".{word}" if word else "") else ""
        if found := re.search(rf"^{what} = ", whole, re.M):
            call = ast.parse(whole[found.end() :]).body[0].value  # type: ignore[attr-defined]
            out[file.rpartition(".")[2]] = [
                arg.value if isinstance(arg, ast.Constant) else ast.unparse(arg) for arg in call.args
            ]
    return out


def _games(word: str) -> Iterator[Thing]:
    """Games by what they are called; which class each is of, is computed for a card alone (NumPy takes a while)."""
    table = written.module("nomoi.solve.games").bound("GAMES").value  # type: ignore[union-attr]
    for key, entry in zip(table.keys, table.values, strict=True):
        if word in ("", key.value):
            words = [
                n.value for n in ast.walk(entry.args[0]) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            ]
            rows = _game(key.value) if word else ()
            yield Thing("game", key.value, next(w for w in words if " " in w or len(words) == 1), rows=rows)


def _game(name: str) -> tuple[tuple[str, str], ...]:
    from nomoi.solve.games import GAMES
    from nomoi.solve.taxonomy import kind

    game, source = GAMES[name].game, GAMES[name].source
    return (
        ("class", f"{kind(game).name}, {' x '.join(map(str, game.shape))}"),
        ("actions", "; ".join(", ".join(names) for names in game.actions)),
        *((f"payoffs of {player}", str(p.tolist())) for player, p in zip(game.players, game.payoff, strict=True)),
        ("source", source), ("to solve it", f"nomoi solve {name}"),
    )  # fmt: skip


def _follies(word: str) -> Iterator[Thing]:
    """Cases that people have told of what was rewarded in place of what was meant."""
    for name, told in files.table(FOLLIES).items():
        said = f"{told['rewarded']}, hoping for: {told['hoped']}"
        rows = tuple((what, told[what]) for what in ("hoped", "rewarded", "came", "kind", "source", "open"))
        yield Thing("folly", name, said, f"({told['kind']})", rows)


# --- measures -------------------------------------------------------------------------------------------------------


def _measures(word: str) -> Iterator[Thing]:
    """What is measured in any situation, what is declared, and the sums of the events that all share."""
    found: dict[tuple[str, str], Thing] = {}
    for home, owner, node in _declaring(word):
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            if inner := _measure(home, call):
                read = _Reader(home, owner, node)
                name, unit, meaning = map(read.words, inner.args[:3])
                short = next((read.words(k.value) for k in call.keywords if k.arg == "short"), "")
                shown = short if short.isidentifier() else f"{owner}.{name}" if "institutions" in home else name
                found.setdefault((shown, owner), _row(shown, unit, meaning, owner or "any situation"))
    for call in ast.walk(written.module(EVENTS).tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Event" and len(call.args) > 4:  # an amount
            name, _, unit, meaning, _, *short = map(_Reader(EVENTS, "", call).words, call.args)
            if (shown := (short or [name])[0]) not in {name for name, _ in found}:
                found[shown, ""] = _row(shown, unit, f"{meaning}, all agents", f"who emits the event {name}")
    return iter(found[key] for key in sorted(found))


def _row(name: str, unit: str, meaning: str, owner: str) -> Thing:
    return Thing("measure", name, f"{meaning} [{unit}]", f"({owner})", (("unit", unit), ("declared by", owner)))


def _declaring(word: str) -> Iterator[tuple[str, str, ast.stmt]]:
    """(module, who declares, statement) of all that may declare measures."""
    for home, name, owner in (
        ("nomoi.measure.measures", "GENERAL", ""),
        ("nomoi.core.measure", "compliance", "institution that emits a violation"),
    ):
        node = written.module(home).bound(name)
        assert node
        yield home, owner, node
    told = re.compile(rf'"{re.escape(last)}"|\b{re.escape(last)}\(' if (last := word.rpartition(".")[2]) else "")
    for file in (*written.files("nomoi.situations"), *written.files("nomoi.institutions")):
        for cls in written.module(file).classes() if told.search(written.text(file)) else ():
            for line in cls.node.body:
                if isinstance(line, ast.FunctionDef) and line.name == "measures":
                    yield cls.home, cls.name.lower(), line


def _measure(home: str, call: ast.Call) -> ast.Call | None:
    """The Measure(...) that a call makes: itself, or through a function that gives one."""
    name = ast.unparse(call.func)
    if name == "Measure":
        return call
    found = written.module(home).bound(name)
    if isinstance(found, ast.ImportFrom) and (found.module or "").startswith("nomoi."):
        found = written.module(str(found.module)).bound(name)
    if not isinstance(found, ast.FunctionDef) or not found.returns or ast.unparse(found.returns) != "Measure":
        return None
    calls = (n for n in ast.walk(found) if isinstance(n, ast.Call))
    return next((n for n in calls if ast.unparse(n.func) == "Measure"), None)


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Reads texts in a module as far as they are known before anything is made.

    An institution is called by the name of its class there, and an option <so>.
    """

    home: str
    owner: str
    scope: ast.AST

    def words(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(map(self.words, node.values))
        if isinstance(node, ast.FormattedValue):
            return self.words(node.value)
        if isinstance(node, ast.Attribute):
            return self.owner if node.attr == "name" else f"<{node.attr}>"
        for line in ast.walk(self.scope):
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == ast.unparse(node):
                return self.words(line.value)
        try:
            return str(written.module(self.home).value(node))
        except written.Unread:
            return self.owner  # what a function is told: of whom it speaks
