"""The assumptions under which Arrow & Debreu (1954) prove that an equilibrium exists, checked one by one.

They are sufficient, not necessary: most examples in which everybody owns one good alone violate IV.a and have
equilibria.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import linprog

from nomoi.markets.closed import irreducible
from nomoi.markets.economy import Consumer, Economy, Producer
from nomoi.markets.technologies import Activities, Fixed, Smooth
from nomoi.markets.utilities import Leontief

PROVED, REFUTED, SAMPLED, OPEN = "proved", "refuted", "sampled", "not checkable"


@dataclasses.dataclass(frozen=True)
class Finding:
    """An assumption, what it says, whether it holds here (proved, refuted, sampled, not checkable), and why."""

    name: str
    says: str
    status: str
    why: str

    def data(self) -> dict[str, str]:
        return dataclasses.asdict(self)


def assumptions(economy: Economy) -> list[Finding]:
    """All findings, in the order of the paper; then irreducibility, which may stand in for IV.a."""
    says = {
        "I.a": "production sets are closed and convex, and doing nothing is possible",
        "I.b": "nothing comes out where nothing goes in",
        "I.c": "production cannot be undone by production",
        "II": "consumption sets are closed, convex and bounded below",
        "III.a": "utilities are continuous",
        "III.b": "nobody can have enough of everything",
        "III.c": "mixtures of two different bundles that are equally good are no worse than they (Arrow's strict "
        "form: better)",
        "IV.a": "everybody owns more of every good than the least that one can live with",
        "IV.b": "every profit belongs to somebody: shares are 0 or more and sum to one",
        "irreducible": "no group owns nothing that the others want (McKenzie 1959); may stand in for IV.a",
    }
    found = {
        "I.a": _all([_convex(q) for q in economy.producers], "there is no production" if economy.exchange else ""),
        "I.b": _free(economy),
        "I.c": _undone(economy),
        "II": (PROVED, "by construction: bundles of at least the amounts that each needs"),
        "III.a": _all([_family(c, "continuous") for c in economy.consumers]),
        "III.b": _all([_insatiable(c) for c in economy.consumers]),
        "III.c": _all([_mixtures(c) for c in economy.consumers]),
        "IV.a": _owns(economy),
        "IV.b": (PROVED, "checked when the economy is made"),
        "irreducible": _connected(economy),
    }
    return [Finding(name, says[name], *found[name]) for name in says]


def existence(found: list[Finding]) -> str:
    """What follows, in a sentence."""
    main = [f for f in found if f.name != "irreducible"]
    failing = [f.name for f in main if f.status != PROVED]
    if not failing:
        return "All assumptions are proved, so an equilibrium exists (Arrow & Debreu 1954, Theorem I)."
    if failing == ["IV.a"] and found[-1].status == PROVED:
        return "IV.a fails, but the economy is irreducible, and the other assumptions hold: an equilibrium exists."
    many = "is" if len(failing) == 1 else "are"
    return (
        f"{', '.join(failing)} {many} not proved, so the theorem is silent; there may be an equilibrium all the same."
    )


def _all(each: list[tuple[str, str]], none: str = "") -> tuple[str, str]:
    """The worst of several findings, with its reason."""
    order = [REFUTED, OPEN, SAMPLED, PROVED]
    if not each:
        return PROVED, none
    worst = min(each, key=lambda f: order.index(f[0]))
    return worst if worst[0] != PROVED else (PROVED, "; ".join(dict.fromkeys(why for _, why in each)))


def _convex(producer: Producer) -> tuple[str, str]:
    t = producer.technology
    if t.convex:
        kind = "a cone of processes" if isinstance(t, Activities) else "a concave production function"
        return PROVED, f"by formula: {kind}"
    if isinstance(t, Smooth):
        inputs = np.where(t.nest.used, 1.0, 0.0)
        whole, half = t.made(inputs), t.made(inputs / 2)
        return (
            REFUTED,
            f"{producer.name} makes {whole:.4g} of 1 of each input and {half:.4g} of half, less than a half of it",
        )
    assert isinstance(t, Fixed)
    return REFUTED, f"{producer.name} can make 1 of {t.fixed + t.marginal:g} and cannot make 1/2 of half of that"


def _cone(economy: Economy) -> np.ndarray | None:
    """[goods, J] all processes side by side; None where there are other technologies."""
    if any(not isinstance(q.technology, Activities) for q in economy.producers):
        return None
    return economy.processes(np.ones(economy.l))


def _ordered(economy: Economy) -> bool:
    """Whether goods have an order in which each is made of later ones alone."""
    left = [q.technology.touches for q in economy.producers]
    while left:
        out = np.any([made for made, _ in left], 0)
        ready = [t for t in left if not (t[1] & out).any()]  # uses nothing that is still to be made
        if not ready:
            return False
        left = [t for t in left if not any(t is r for r in ready)]
    return True


def _free(economy: Economy) -> tuple[str, str]:
    if economy.exchange:
        return PROVED, "there is no production"
    cone = _cone(economy)
    if cone is None:
        if _ordered(economy):
            return PROVED, "each producer needs inputs, and goods have an order in which none is made of itself"
        return OPEN, "some goods are made of one another by functions that are no cone of processes"
    unit = cone / np.maximum(np.abs(cone).max(0), 1e-300)
    lp = linprog(
        -unit.sum(0),
        A_ub=np.vstack([-unit, np.ones(unit.shape[1])]),
        b_ub=np.r_[np.zeros(len(unit)), 1.0],
        method="highs",
    )
    if lp.status == 0 and -lp.fun <= 1e-9:
        return PROVED, "a linear program: no mix of processes has outputs without inputs"
    return REFUTED, f"processes at levels {np.round(lp.x, 4).tolist()} make something of nothing"


def _undone(economy: Economy) -> tuple[str, str]:
    if economy.exchange:
        return PROVED, "there is no production"
    cone = _cone(economy)
    if cone is None:
        return (
            (PROVED, "goods have an order in which none is made of itself")
            if _ordered(economy)
            else (OPEN, "some goods are made of one another by functions that are no cone of processes")
        )
    unit = cone[:, np.abs(cone).max(0) > 0]
    if not unit.size:
        return PROVED, "no process does anything"
    unit = unit / np.abs(unit).max(0)
    lp = linprog(-np.ones(unit.shape[1]), A_eq=unit, b_eq=np.zeros(len(unit)), bounds=(0, 1), method="highs")
    if lp.status == 0 and -lp.fun <= 1e-9:
        return PROVED, "a linear program: no mix of processes undoes itself"
    return REFUTED, f"processes at levels {np.round(lp.x, 4).tolist()} undo one another"


def _family(c: Consumer, what: str) -> tuple[str, str]:
    if c.utility.family == "concave":
        return OPEN, f"the utility of {c.name} is any function, which is said to be {what}"
    return PROVED, "by formula"


def _insatiable(c: Consumer) -> tuple[str, str]:
    if c.utility.satiable:
        return REFUTED, f"{c.name} has a bundle beyond which nothing is better"
    return _family(c, "increasing")


def _mixtures(c: Consumer) -> tuple[str, str]:
    u = c.utility
    if u.concave and u.family != "concave":
        return PROVED, "by formula: a concave function gives the same indifference curves"
    rng = np.random.default_rng(0)
    tried = rng.dirichlet(np.ones(u.goods), (400, 2)) + 1e-6
    one, other = u.value(tried[:, 0]), u.value(tried[:, 1])
    middle = u.value(tried.mean(1))
    worse = np.flatnonzero(middle < np.minimum(one, other) - 1e-9 * np.abs(middle))
    if len(worse):
        x, y = (tried[worse[0], k].round(3).tolist() for k in (0, 1))
        return REFUTED, f"{c.name} likes the mean of {x} and {y} less than either"
    return SAMPLED, f"no counterexample among 400 pairs for {c.name}"


def _owns(economy: Economy) -> tuple[str, str]:
    for c in economy.consumers:
        for k in np.flatnonzero(c.endowment <= c.utility.least):
            more = "no more than must be had" if c.endowment[k] else "none"
            return REFUTED, f"{c.name} owns {more} of {economy.goods[k]}"
    return PROVED, "all own more than the least of every good"


def _connected(economy: Economy) -> tuple[str, str]:
    if not economy.exchange:
        return OPEN, "with production it depends on what can be made of whose goods"
    for c in economy.consumers:
        for k in np.flatnonzero(c.endowment < c.utility.least):
            return OPEN, f"{c.name} owns less {economy.goods[k]} than must be had"
    if not irreducible(economy, always=False):
        return REFUTED, "some own nothing that the others want, by whatever chain"
    if any(isinstance(c.utility, Leontief) for c in economy.consumers):
        return (
            OPEN,
            "each owns what another wants, round a circle; with fixed proportions more of one good need not help",
        )
    if not irreducible(economy):
        return OPEN, "each owns what another wants, round a circle; but some can have enough of a good"
    vague = [c for c in economy.consumers if c.utility.family in ("concave", "bliss")]
    if vague:
        return OPEN, f"what {vague[0].name} wants more of, and where, is not known by a formula"
    return PROVED, "each owns what another wants, round a circle of all"
