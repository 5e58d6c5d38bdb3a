"""The foraging commons of the laboratory: what a field gives, what a race leaves of it, and what agreeing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nomoi.probes.foraging import Ways, bare, central, greedy, live
from nomoi.runs.claims import Results
from nomoi.runs.effects import Effect, of, rows
from nomoi.runs.study import Claim, Computed, Reading, Study, Trial
from nomoi.situations.laboratory import Laboratory

OURS = "ours"
EARLIER = "ours, by our earlier program"
PAPER = "Janssen et al. 2010"
N, SECONDS, SPEED = 5, 240, 4
KEEPS = (0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)
NO_TALK, PUNISH, TALK, BOTH = "neither", "punishment", "communication", "both"
ALL = (NO_TALK, PUNISH, TALK, BOTH)
# What nobody published of people, drawn anew for each seed, the same under all four (ours): the highest share of the
# field that anybody keeps of his own accord; what those who talk agree to keep; the chance that one of them breaks it;
# seconds from the end in which all take what there is; chance of a strike in a second; seconds that it frightens for.
RANGES = {
    "own": (0.0, 0.3), "agreed": (0.2, 0.5), "break": (0.0, 0.2), "last": (20.0, 80.0), "strike": (0.005, 0.05),
    "fear": (5.0, 30.0),
}  # fmt: skip


@lru_cache(maxsize=32)
def _many(function: Callable[..., Any]) -> Any:
    """The function for many keys in one program; the situation's sizes are part of it."""
    return jax.jit(lambda keys, place, *x: jax.vmap(lambda key: function(key, place, *x))(keys))


def grown(key: Any, worlds: int, seconds: int = SECONDS) -> Mapping[str, float]:
    """Tokens on a field that nobody harvests."""
    place = Laboratory(speed=1, horizon=seconds)
    tokens = np.asarray(_many(bare)(jax.random.split(key, worlds), place)).mean(0)
    return {f"after {t} s": float(tokens[t - 1]) for t in (60, 120, 180, 240) if t <= seconds}


def kept(key: Any, keep: float, enclosed: bool, worlds: int, seconds: int = SECONDS) -> Mapping[str, float]:
    """Tokens gathered by a hand that is everywhere at once, and keeps that share of the cells."""
    place = Laboratory(speed=1, horizon=seconds)
    got = _many(central)(jax.random.split(key, worlds), place, jnp.float32(keep), jnp.array(enclosed))
    return {"tokens": float(got.mean())}


def raced(
    key: Any, speed: int, worlds: int, wait: float = 0.0, diagonals: bool = False, collecting: bool = True,
    seconds: int = SECONDS,
) -> Mapping[str, float]:  # fmt: skip
    """Tokens gathered by five who take whatever is nearest, and when the field is bare."""
    place = Laboratory(speed=speed, horizon=seconds * speed, diagonals=diagonals, collecting=collecting)
    lived = _many(live)(jax.random.split(key, worlds), place, greedy(N, wait))
    return {"tokens": float(lived.tokens.sum(1).mean()), "bare after": float(lived.empty.mean())}


def society(key: Any, worlds: int, seconds: int = SECONDS) -> Mapping[str, float]:
    """One draw of people, in four treatments on the same fields.

    Without talk each keeps what he likes, of the whole field; having talked all keep the same, each of his own strip,
    but for those who break it.  Without an agreement strikes fall on whoever has most; with one, on who breaks it.
    """
    drawn, people, lived = jax.random.split(key, 3)
    draw = {name: low + (high - low) * lot for lot, (name, (low, high)) in
            zip(jax.random.uniform(drawn, (len(RANGES),)), RANGES.items(), strict=True)}  # fmt: skip
    ideas, lots = jax.random.uniform(people, (2, N))
    own, breaks = draw["own"] * ideas, lots < draw["break"]
    talked = jnp.where(breaks, 0.0, draw["agreed"]), jnp.where(breaks, -1, np.arange(N))
    alone, none = (own, jnp.full(N, -1)), jnp.zeros(())
    place, keys = Laboratory(speed=SPEED, horizon=seconds * SPEED), jax.random.split(lived, worlds)
    out: dict[str, float] = {"breakers": float(breaks.sum())}
    for name in ALL:
        talk, punish = name in (TALK, BOTH), name in (PUNISH, BOTH)
        ways = Ways(
            *(talked if talk else alone), draw["last"], none, draw["strike"] if punish else none, draw["fear"],
            draw["agreed"] if talk else jnp.float32(-1),
        )  # fmt: skip
        found = _many(live)(keys, place, ways)
        out |= {f"gross, {name}": float(found.tokens.sum(1).mean()), f"net, {name}": float(found.net.sum(1).mean()),
                f"strikes, {name}": float(found.strikes.mean()), f"left, {name}": float(found.left.mean())}  # fmt: skip
    return out


# --- the study ------------------------------------------------------------------------------------------------

RACES = {f"race, {s} a second": {"speed": s} for s in (1, 2, 4)} | {
    "race after 160 s": {"speed": 4, "wait": 160.0},
    **{f"race, {s} a second, eight neighbours": {"speed": s, "diagonals": True} for s in (1, 2, 4)},
    **{f"race, {s} a second, taken on entering": {"speed": s, "collecting": False} for s in (1, 2, 4)},
}


def trials(size: str) -> Sequence[Trial]:
    smoke = size == "smoke"
    more = {"worlds": 1} | ({"seconds": 60} if smoke else {})
    return [
        Computed("nobody harvests", grown, {"worlds": 1 if smoke else 2}),
        *(Computed(f"keep {k:g}, {w}", kept, {"keep": k, "enclosed": w == "enclosed first"} | more)
          for k in KEEPS for w in ("at random", "enclosed first")),
        *(Computed(label, raced, settings | more) for label, settings in RACES.items()),
        Computed("societies", society, more),
    ]  # fmt: skip


def _again(text: str, effect: Effect, found: float, part: float = 0.05, unit: str = "tokens") -> Claim:
    return Claim(text, EARLIER, effect, f"{found:g}", near=found, tolerance=part * found, unit=unit, kind="replica")


def _gap(one: str, other: str, measure: str = "gross") -> Effect:
    return lambda r: r.late("societies", f"{measure}, {one}") - r.late("societies", f"{measure}, {other}")


def _percent(one: str, other: str) -> Effect:
    return lambda r: 100 * (r.late("societies", f"gross, {one}") / r.late("societies", f"gross, {other}") - 1)


CLAIMS = [
    *(Claim(text, PAPER, effect, said, kind="published", unit=unit, **bound) for text, effect, said, unit, bound in (
        ("Punishment alone adds nothing to what is gathered (less than 5 %)", _percent(PUNISH, NO_TALK),
         "costly punishment lacks a gross positive effect", "%", {"below": 5}),
        ("With communication, punishment goes with more", _gap(BOTH, NO_TALK),
         "unless combined with communication", "tokens", {"above": 0}),
        ("Communication does more than penalties", _gap(TALK, PUNISH), "communication is key", "tokens", {"above": 0}),
    )),
    Claim("Punishment alone costs more than it brings", OURS, _gap(PUNISH, NO_TALK, "net"), below=0, unit="tokens",
          kind="ours"),
    Claim("Beside communication, punishment adds to what is gathered", OURS, _gap(BOTH, TALK), above=0, unit="tokens",
          kind="ours"),
    Claim("To take the most enclosed tokens first gives more than to take any, at .4 kept", OURS,
          lambda r: r.late("keep 0.4, enclosed first", "tokens") - r.late("keep 0.4, at random", "tokens"), above=0,
          unit="tokens", kind="ours"),
    _again("Where nobody harvests there are 613 tokens in the end", of("nobody harvests", "after 240 s"), 613),
    _again("Half kept, taken at random: 640 in all", of("keep 0.5, at random", "tokens"), 640),
    _again("Two fifths kept, the most enclosed first: 721", of("keep 0.4, enclosed first", "tokens"), 721),
    *(_again(f"Five race at {s} moves a second: {n}", of(f"race, {s} a second", "tokens"), n)
      for s, n in ((1, 367), (2, 277), (4, 238))),
    *(_again(f"... and the field is bare after {n} s", of(f"race, {s} a second", "bare after"), n, unit="s")
      for s, n in ((1, 236), (2, 103), (4, 47))),
    _again("They wait for 160 s, and then race at four moves a second: 550", of("race after 160 s", "tokens"), 550),
]  # fmt: skip
READINGS = [
    *(Reading(f"The same race where one may move to eight cells, {s} moves a second", OURS,
              of(f"race, {s} a second, eight neighbours", "tokens"), unit="tokens") for s in (1, 2, 4)),
    *(Reading(f"... and where, with four, a token is taken on entering its cell, {s} moves a second", OURS,
              of(f"race, {s} a second, taken on entering", "tokens"), unit="tokens") for s in (1, 2, 4)),
    *(Reading(f"What people gather, {name}", OURS, of("societies", f"gross, {name}"), unit="tokens") for name in ALL),
    Reading("... and end with, punishment", OURS, of("societies", f"net, {PUNISH}"), unit="tokens"),
    Reading("Strikes, punishment", OURS, of("societies", f"strikes, {PUNISH}"), unit="strikes"),
    Reading("Strikes, both", OURS, of("societies", f"strikes, {BOTH}"), unit="strikes"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    def line(how: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(KEEPS), np.stack([results.late(f"keep {k:g}, {how}", "tokens") for k in KEEPS], 1)

    central = figures.curves({how: line(how) for how in ("at random", "enclosed first")}, "tokens gathered",
                             "What is kept, and what that gives", {}, "share of cells that bear a token, kept",
                             note="mean over seeds, 95 % band")  # fmt: skip
    four = figures.intervals({name: results.late("societies", f"gross, {name}") for name in ALL},
                             "tokens gathered; a seed is a draw of people", "Talking and striking")  # fmt: skip
    return [
        page.Figure("What is kept", figures.svg(central), "By a hand that is everywhere at once, second by second, and "
                    "takes all in the last one."),
        page.Figure("Talking and striking", figures.svg(four), "Four treatments, the same people and fields."),
        page.Table("Races", ["race", "tokens", "bare after, s"], rows(results, list(RACES), ["tokens", "bare after"]),
                   "Four neighbours and a move to collect, unless another way is named: the numbers hang on that."),
    ]  # fmt: skip


STUDY = Study(
    "lab_commons",
    "In a commons in real time, what do talking and punishing change, alone and together?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 24, "paper": 96},
    sections,
    "The field, its growth, the time and what strikes cost are those of the laboratory (29 x 29 cells, five people, "
    "240 s); of people only an abstract was at hand, so published claims are orderings. The people are a model of "
    "ours: who has talked keeps to one threshold and one strip of the field, or breaks that. What nobody published "
    "about them is drawn anew for each seed, so that an interval covers the draws and not one choice of ours. Four "
    "neighbours, and a move to collect.",
    readings=READINGS,
)
