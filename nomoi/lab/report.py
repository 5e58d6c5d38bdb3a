"""A session's report: people beside scripts, learners and theory, in one figure."""

from __future__ import annotations

import json
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation, outline
from nomoi.core.learner import Learner
from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.lab.sheet import again, answered, chosen
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import measures
from nomoi.measure.statistics import Estimate, estimate, number
from nomoi.report import figures, page, unfolded
from nomoi.runs import regimes
from nomoi.runs.record import Record
from nomoi.runs.session import Session
from nomoi.runs.shapes import plain
from nomoi.runs.store import Store
from nomoi.runs.trial import trial_of

WORLDS, SOLVED = 16, 20_000  # scripts' worlds; joint choices that are solved for the page (ours)
PERSON, NOBODY = "person", "nobody answered"
PEOPLE, THEORY = "people, in this session", "theory"
SLIM = 4.7  # inches: as wide as a phone, on which a point of type is then nearly a pixel (ours)
SAID = {"constant": "always the first choice", "constant(choice=999)": "always the last choice"}
Row = tuple[str, str, Estimate]  # a name, of which kind that is, and what a seat got
SCRIPTS = {True: ("forager", "forager(spare=3)", "random"), False: ("random", "constant", "constant(choice=999)")}


def session(record: Record) -> Session:
    """The session that a record is of."""
    trial = trial_of(record) if record.kind == "session" else None
    if not isinstance(trial, Session):
        raise Refusal(f"the record {record.id} is {record.kind}, and a session is what the lab exports; `nomoi runs` "
                      "says the kind of each.")  # fmt: skip
    return trial


def html(one: Session, record: Record, store: Store | None = None) -> str:
    """The page of a session; of learners it shows those that `store` has of the very same situation."""
    lines = [line for line in one.lived.lines if "step" in line]
    paid = np.array([np.add(line["reward"], line["transfer"]) for line in lines]).sum(0)  # [n]
    place, terms, (left, asked) = one.situation, one.terms, again(one)
    many, rules = terms["persons"], [i.says(place.bare) for i in place.institutions] or ["Nobody added any rule."]
    sections: list[page.Section] = [page.Text("What was played", [*rules, _how(one, len(lines), asked)])]
    steps = len(lines) if terms["ended"] else 0
    sections += compared(one, paid, beside(place, steps) + (learned(store, place) if store else []), steps)
    sections += _turns(one, left, asked)
    by, ms = answered(one), terms["ms"]
    due = [sum(not asked or bool(heads[i]) for heads in asked or by) for i in range(place.agents)]
    own = [sum(row[i] == PERSON for row in by) for i in range(place.agents)]
    role = [f" ({word})" if len(set(place.roles)) > 1 else "" for word in place.roles]
    total = [[f"seat {i + 1}{role[i]}", seats_of(one)[i], float(paid[i]), f"{own[i]} of {due[i]}" if i < many else "",
              _typical([row[i] for row in ms] if i < many else [])] for i in range(place.agents)]  # fmt: skip
    said = [[x["step"], f"seat {x['seat'] + 1}", x["words"]] for x in terms.get("said", ())]
    if said:
        sections.append(page.Table("What was said", ["after turn", "", "words"], said))
    titles = ["", "who", "payoff", "own answers", "seconds each"]
    note = (
        "Own answers: those that a person gave, of all that were due. Seconds each: the median of how long that took."
    )
    sections.append(page.Table("Seat by seat", titles, total, note))
    words = record.facts["measures"]
    measured = [[name, value, ", in ".join(filter(None, reversed(words.get(name, ["", ""]))))]
                for name, value in record.glance()[1].items()]  # fmt: skip
    sections.append(page.Table("What is measured", ["", "value", "meaning"], measured))
    note = (
        f"The consent that was read first has the digest {terms['consent'][:16]}; no name and no time of day is kept."
    )
    sections.append(page.Text("", [note]))
    return page.page(one.label, f"A session of people, {record.id}.", sections)


def seats_of(one: Session) -> list[str]:
    """Who had each seat: a person, if one answered there at least once; else the script or mind that played the others,
    or nobody (in real time, where nobody pressed a key)."""
    columns, script = list(zip(*answered(one), strict=True)), one.terms["script"]
    return [PERSON if PERSON in seat else script if {"script", "late"} & set(seat) else NOBODY for seat in columns]


def _how(one: Session, lived: int, asked: list[list[frozenset[str]]]) -> str:
    """Who played, for how long, and who answered, in a paragraph."""
    terms, agents = one.terms, one.situation.agents
    many, came = terms["persons"], seats_of(one).count(PERSON)
    others = f"; {terms['script']} played the others" if many < agents else ""
    how = f"{many} of {agents} seats were for people{others}; "
    how += f"at {came} of them a person answered at least once. "
    how += f"{lived} step{'s were' * (lived != 1) or ' was'} lived"
    how += f". {terms['ended']} " if terms["ended"] else ", to the end. "
    turns = zip(terms["by"], asked, strict=False)  # none where the code is not what made it
    gave = [by for row, heads in turns for by, some in zip(row, heads, strict=False) if some]
    said = {PERSON: "from people", "late": f"from {terms['script']} after the deadline", "script":
            f"from {terms['script']} where nobody sat", "nobody": "from nobody"}  # fmt: skip
    came_from = [f"{gave.count(by)} {words}" for by, words in said.items() if by in gave]
    return how + f"{len(gave)} answers were due there: {', '.join(came_from)}." * bool(gave)


def compared(one: Session, paid: np.ndarray, groups: list[Row], steps: int) -> list[page.Section]:
    """What a seat ended with, by who had it: people and the others of this session, and `groups`; figure and table."""
    who, place = seats_of(one), one.situation
    rows: list[Row] = []
    for name in dict.fromkeys(sorted(who, key=lambda x: x != PERSON)):  # people first
        seats = f"{who.count(name)} seat{'s' * (who.count(name) != 1)}"
        title = f"people ({seats})" if name == PERSON else f"beside them: {name} ({seats})"
        kind = PEOPLE if name == PERSON else f"{name}, in this session"
        rows.append((title, kind, estimate([float(paid[np.array(who) == name].mean())])))
    rows += groups
    theory = {f"{name}: {number(found.mean)}": found.mean for name, kind, found in rows if kind == THEORY}
    dots = {name: found for name, kind, found in rows if kind != THEORY}
    drawn = figures.intervals(dots, "payoff", "What a seat ended with", theory, note="mean over seats")
    drawn.set_figwidth(SLIM)
    same = (
        f" Scripts lived {steps} steps, as people did, of up to {place.horizon}; learners and theory a whole episode."
    )
    lines = "exact, as dotted lines (the subgame-perfect equilibrium, and the most there is)"
    note = (
        "People, and whoever had seats beside them, are those of this session: one point each, without an interval. "
        f"Scripts at all seats: the mean of {WORLDS} worlds with its 95 % interval (Student's t). Learners: runs kept "
        "here of this very situation, late in training, by seed. "
        f"Theory: {lines if theory else 'the situation is too large to be solved here'}."
        f"{same if steps else ''} What is left for later does not count here."
    )
    table = [[name, kind, found if found.n > 1 else found.mean] for name, kind, found in rows]
    return [page.Figure("Payoff of a seat: people, scripts, learners, theory", figures.svg(drawn), note, slim=True),
            page.Table("", ["", "who", "payoff of a seat"], table)]  # fmt: skip


def _turns(one: Session, left: list[list[float]], asked: list[list[frozenset[str]]]) -> list[page.Section]:
    """What was left, and what people chose, and whoever played beside them, turn by turn."""
    out: list[page.Section] = []
    turn = lambda values: (np.arange(1, len(values) + 1), values)  # noqa: E731

    def draw(heading: str, lines: dict[str, Any], unit: str, title: str, note: str) -> None:
        drawn = figures.curves(lines, unit, title, xlabel="turn", note=note, least=0)
        drawn.set_figwidth(SLIM)
        out.append(page.Figure(heading, figures.svg(drawn), slim=True))

    if left:
        lines = {kind: turn(of) for kind, of in zip(one.situation.kinds, np.transpose(left), strict=True)}
        draw("What was left", lines, "units", "What was left after each turn", "in this session")
    amounts = {}
    for who, by in (("people", (PERSON,)), (one.terms["script"], ("script", "late"))) if asked else ():
        means = chosen(one, asked, by).items()
        amounts |= {f"{head}, {who}": turn(mean) for head, mean in means if np.isfinite(mean).any()}
    if amounts:
        draw("What was asked for", amounts, "amount", "What was chosen", "the mean of those who were asked")
    return out


def _typical(ms: list[Any]) -> str:
    known = [x for x in ms if x is not None]
    return f"{np.median(known) / 1000:.1f}" if known else ""


def beside(place: Situation, steps: int = 0) -> list[Row]:
    """What a seat ends with where scripts that fit have all seats, and in theory where it unfolds.

    Scripts live as many steps as the people did, where these were stopped (0: a whole episode).
    """
    out: list[Row] = []
    land = "apple" in outline(place).planes
    for word in SCRIPTS[land]:
        script = regimes.player(word)
        try:
            found = np.asarray(_payoff(place, script, jax.random.key(0), steps)) / place.agents
        except Refusal:
            continue
        out.append((f"script: {SAID.get(word, word)}", f"script at all seats, {WORLDS} worlds", estimate(found)))
    if place.lots and place.horizon * np.log(max(place.actions.values(), default=2)) * place.agents < 500:
        try:
            found = unfolded.solve(place, SOLVED)
        except Refusal:
            return out  # too large to be solved: the figure goes without
        out.append(("equilibrium", THEORY, estimate([float(np.mean(found["values"]))])))
        out.append(("the most there is", THEORY, estimate([found["planner"] / place.agents])))
    return out


def learned(store: Store, place: Situation) -> list[Row]:
    """The same, over seeds, of the runs that were trained in this situation."""
    here, found = json.loads(json.dumps(spec(plain(place)))), dict[str, list[float]]()
    for record in store.sound(whole=False)[0]:
        told = record.spec["trial"].get("options", {})
        if record.kind == "trained" and told.get("situation") == here and "payoff" in (late := record.glance()[1]):
            name = str(told["learner"]["class"]).rpartition(":")[2].rpartition(".")[2]
            found.setdefault(name, []).append(late["payoff"] / place.agents)
    runs = {name: f"{len(values)} run{'s' * (len(values) != 1)}" for name, values in found.items()}
    return [(f"learners: {name}", f"learners at all seats, {runs[name]}", estimate(of)) for name, of in found.items()]


@eqx.filter_jit
def _payoff(place: Situation, script: Learner, key: Any, steps: int) -> Any:
    lived = episodes(key, place, script, worlds=WORLDS, steps=steps)
    return jax.vmap(lambda e: jnp.asarray(measures(place)["payoff"].of(e)))(lived)
