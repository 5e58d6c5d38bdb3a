"""A session's report: people beside scripts, learners and theory, in one figure."""

from __future__ import annotations

import json
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.lab.sheet import asked, stocks_of
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import measures
from nomoi.measure.statistics import estimate
from nomoi.report import figures, page, unfolded
from nomoi.runs import regimes
from nomoi.runs.record import Record
from nomoi.runs.session import Session
from nomoi.runs.shapes import plain
from nomoi.runs.store import Store
from nomoi.runs.trial import trial_of

WORLDS, SOLVED = 16, 20_000  # scripts' worlds; joint choices that are solved for the page (ours)
THEORY = "subgame-perfect equilibrium"
SAID = {"constant": "always the first choice", "constant(choice=999)": "always the last choice"}
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
    paid = np.array([np.add(line["reward"], line["transfer"]) for line in lines])  # [T, n]
    place, terms = one.situation, one.terms
    many, rules = terms["persons"], [i.says(place.bare) for i in place.institutions] or ["Nobody added any rule."]
    others = f"; {terms['script']} played the others" if many < place.agents else ""
    who = ["person" if "person" in seat else "nobody answered" for seat in zip(*terms["by"], strict=True)]
    who += [terms["script"]] * (place.agents - many)
    came = who[:many].count("person")
    how = f"{many} of {place.agents} seats were for people{others}; "
    how += f"at {came} of them a person answered at least once. "
    how += f"{len(lines)} step{'s were' * (len(lines) != 1) or ' was'} lived"
    how += f". {terms['ended']} " if terms["ended"] else ", to the end. "
    late = sum(by in ("late", "nobody") for row in terms["by"] for by in row)
    due = sum(by != "" for row in terms["by"] for by in row)
    how += f"{late} of {due} answers came from a script or from nobody after the deadline."
    steps = len(lines) if terms["ended"] else 0
    groups = beside(place, float(paid.sum()), steps) | (learned(store, place) if store else {})
    sections: list[page.Section] = [page.Text("What was played", [*rules, how])]
    short = f", of {steps} steps where a whole episode has up to {place.horizon}" if steps else ""
    same = ", over as many steps" if steps else ""
    whole = " Learners and theory live a whole episode." if steps else ""
    sections.append(page.Figure("Payoff of all, beside scripts, learners and theory", figures.svg(figures.intervals(
        groups, "reward", "What all ended with together", note="in one episode"
    )), f"People: this session alone, a point{short}. Scripts, at all seats{same}: the mean of {WORLDS} worlds with "
        "its 95 % interval (Student's t). Learners: runs kept here of this very situation, late in training, by seed. "
        f"Theory: {'exact' if THEORY in groups else 'the situation is too large to be solved here'}.{whole} "
        "What is left for later does not count here."))  # fmt: skip
    sections += _turns(one)
    total = [[f"seat {i + 1}", who[i], place.roles[i], float(paid[:, i].sum()),
              _typical([terms["ms"][k][i] for k in range(len(lines))] if i < many else [])]
             for i in range(place.agents)]  # fmt: skip
    said = [[x["step"], f"seat {x['seat'] + 1}", x["words"]] for x in terms.get("said", ())]
    if said:
        sections.append(page.Table("What was said", ["after turn", "", "words"], said))
    sections.append(page.Table("Seat by seat", ["", "who", "role", "payoff", "seconds to answer (median)"], total))
    words = record.facts["measures"]
    measured = [[name, value, *words.get(name, ["", ""])] for name, value in record.glance()[1].items()]
    sections.append(page.Table("What is measured", ["", "value", "unit", "meaning"], measured))
    note = (
        f"The consent that was read first has the digest {terms['consent'][:16]}; no name and no time of day is kept."
    )
    sections.append(page.Text("", [note]))
    return page.page(one.label, f"A session of people, {record.id}.", sections)


def _turns(one: Session) -> list[page.Section]:
    """What was left, and what people asked for, turn by turn."""
    out: list[page.Section] = []
    turn = lambda values: (np.arange(1, len(values) + 1), values)  # noqa: E731
    if left := stocks_of(one):
        lines = {kind: turn(of) for kind, of in zip(one.situation.kinds, np.transpose(left), strict=True)}
        drawn = figures.curves(lines, "units", "What was left after each turn", xlabel="turn", note="in this session")
        out.append(page.Figure("What was left", figures.svg(drawn)))
    amounts = {head: turn(mean) for head, mean in asked(one).items() if np.isfinite(mean).any()}
    if amounts:
        drawn = figures.curves(amounts, "amount", "What a person chose, on average", xlabel="turn", note="who answered")
        out.append(page.Figure("What people asked for", figures.svg(drawn)))
    return out


def _typical(ms: list[Any]) -> str:
    known = [x for x in ms if x is not None]
    return f"{np.median(known) / 1000:.1f}" if known else ""


def beside(place: Situation, people: float, steps: int = 0) -> dict[str, Any]:
    """{who: estimate of everybody's payoff together}: the people, scripts that fit, and theory where it unfolds.

    Scripts live as many steps as the people did, where these were stopped (0: a whole episode).
    """
    from nomoi.core import outline

    out = {"people": estimate([people])}
    land = "apple" in outline(place).planes
    for word in SCRIPTS[land]:
        script = regimes.player(word)
        try:
            out[SAID.get(word, word)] = estimate(np.asarray(_payoff(place, script, jax.random.key(0), steps)))
        except Refusal:
            continue
    if place.lots and place.horizon * np.log(max(place.actions.values(), default=2)) * place.agents < 500:
        try:
            found = unfolded.solve(place, SOLVED)
            out[THEORY] = estimate([found["welfare"]])
            out["the most there is"] = estimate([found["planner"]])
        except Refusal:
            pass  # too large to be solved: the figure goes without
    return out


def learned(store: Store, place: Situation) -> dict[str, Any]:
    """{who: estimate of everybody's payoff together}, over seeds, of the runs that were trained in this situation."""
    here, found = json.loads(json.dumps(spec(plain(place)))), dict[str, list[float]]()
    for record in store.sound(whole=False)[0]:
        told = record.spec["trial"].get("options", {})
        if record.kind == "trained" and told.get("situation") == here and "payoff" in (late := record.glance()[1]):
            name = str(told["learner"]["class"]).rpartition(":")[2].rpartition(".")[2]
            found.setdefault(f"learners ({name})", []).append(late["payoff"])
    return {name: estimate(values) for name, values in found.items()}


@eqx.filter_jit
def _payoff(place: Situation, script: Learner, key: Any, steps: int) -> Any:
    lived = episodes(key, place, script, worlds=WORLDS, steps=steps)
    return jax.vmap(lambda e: jnp.asarray(measures(place)["payoff"].of(e)))(lived)
