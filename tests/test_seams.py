"""What an institution is given, and what a situation says of itself."""

import dataclasses
import inspect
import re
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, equal, run

from nomoi.core import Event, Institution, Outcome, govern, outline, setting
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.gift import Gift
from nomoi.institutions.interest import Interest
from nomoi.institutions.levy import Levy
from nomoi.institutions.treaty import Treaty
from nomoi.learners.joint import Crowd
from nomoi.situations.boycott import Boycott
from nomoi.situations.driving import Driving
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.situations.signals import Signals
from nomoi.testing.common import Skip, Wrong
from nomoi.testing.situation import Bench

POOL = SITUATIONS["pool"]
REQUEST = Event("request", "[n]", "choices", "what one answered", True)


class Cap(Institution):
    """Nobody may request more than a share of what is there; it writes down what was tried and what was let through."""

    share: jax.Array = setting(0.5, "of the stock", "ours", "", 0, 1)

    @property
    def emits(self):
        return {"tried": REQUEST, "let": REQUEST, "vote": REQUEST}

    def heads(self, situation):
        return {"vote": 3}

    def permit(self, memory, situation, state, action):
        most = self.share * situation.stock(state)[0] / situation.capacity()[0] * (situation.levels - 1)
        return {"request": jnp.minimum(action["request"], most.astype(jnp.int32))}

    def settle(self, key, memory, situation, state, tried, action, outcome):
        said = {"tried": tried["request"], "let": action["request"], "vote": self.said(tried, "vote")}
        return (
            memory,
            state,
            outcome.note(self, **said),
        )


def test_an_institution_is_given_the_situation_and_sees_what_was_tried_and_what_was_let_through():
    """Under two caps: both see what was tried, and what both of them together let through."""
    got = run(govern(POOL, Cap(), Cap(title="dam", share=0.25)), 1)
    tried, most = got.action["request"], (0.25 * got.world("before").stock * (POOL.levels - 1)).astype(int)
    let = np.minimum(tried, most[:, None])
    assert (let < tried).any()
    for name in ("cap", "dam"):
        np.testing.assert_array_equal(got.outcome.events[f"{name}.tried"], tried)
        np.testing.assert_array_equal(got.outcome.events[f"{name}.let"], let)
        np.testing.assert_array_equal(got.outcome.events[f"{name}.vote"], got.action[f"{name}.vote"])
    np.testing.assert_allclose(got.outcome.events["request"], let * 0.15 / 12, rtol=1e-5)


class Bell(Institution):
    """Convenes for some steps, writes down what it draws, and annuls all that stands before it if it is told to."""

    sits: jax.Array = setting(0, "steps that it convenes", "ours", "steps", 0)
    voids: jax.Array = setting(False, "whether it annuls", "ours")

    @property
    def emits(self):
        return {"drawn": REQUEST}

    def found(self, key, situation, state):
        return jnp.zeros((), jnp.int32)

    def holds(self, memory):
        return memory < self.sits

    def annuls(self, memory, other):
        return self.voids

    def inform(self, memory, situation, state, scene, told):
        return {"rung": jnp.broadcast_to(memory.astype(jnp.float32), (situation.agents, 1))}

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory + 1, state, outcome.note(self, drawn=jax.random.uniform(key, (situation.agents,)))


@eqx.filter_jit
def thrice(place):
    """Three steps with the same key of the world: what came of each."""
    state, out = place.reset(jax.random.key(0)), []
    action = {head: jnp.ones(place.agents, jnp.int32) for head in place.actions}
    for _ in range(3):
        state, outcome = place.step(jax.random.key(1), state, action)
        out.append(outcome)
    return out


def test_sittings_draw_apart_from_one_another_and_from_the_step_of_play_that_follows():
    rung, plain = (
        [np.asarray(o.events["bell.drawn"]) for o in thrice(govern(POOL, Bell(sits=sits)))] for sits in (2, 0)
    )
    assert len({x.tobytes() for x in rung}) == 3
    np.testing.assert_array_equal(rung[2], plain[0])


def test_while_one_of_two_convenes_all_else_stands_still():
    out = thrice(govern(POOL, Bell(sits=2), Bell(title="gong")))
    for events in (lambda o: o.reward, lambda o: o.events["gong.drawn"]):
        assert [bool(events(o).any()) for o in out] == [False, False, True]


def test_who_annuls_does_so_to_those_before_it_not_to_itself_and_only_in_force():
    levy = Levy(on="request", rate=1.0)
    for order, bell, paid in (((0, 1), {"voids": True}, False), ((1, 0), {"voids": True}, True),
                              ((0, 1), {"voids": True, "in_force": False}, True), ((0, 1), {}, True)):  # fmt: skip
        some = (levy, Bell(**bell))
        out = thrice(govern(POOL, *(some[k] for k in order)))[0]
        assert bool(out.events["levy.paid"].any()) == paid
        assert bool(out.events["bell.drawn"].any()) == bell.get("in_force", True)


def test_what_is_out_of_force_says_nothing():
    seen = {"level": np.array([0.5]), "bell.rung": np.array([1.0])}
    on, off = (govern(POOL, Bell(in_force=force)).words(seen, "") for force in (True, False))
    assert off == POOL.words({"level": seen["level"]}, "")
    assert on.startswith(off + "\n")


def test_odds_are_those_of_what_is_let_through():
    """Half of a full stock: of two steps of a request one is let through."""
    place = Pool(points=5, levels=3)
    ask = lambda k: {"request": jnp.full(place.agents, k, jnp.int32)}  # noqa: E731
    capped = govern(place, Cap())
    state = capped.reset(jax.random.key(0))
    got = capped.odds(state, ask(2) | {"cap.vote": jnp.zeros(place.agents, jnp.int32)})
    one, two = (np.asarray(place.odds(state.world, ask(k))) for k in (1, 2))
    assert (one != two).any()
    np.testing.assert_array_equal(got, one)


def test_the_guide_gives_every_hook_as_it_is():
    guide = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = guide.partition("## Add an institution")[2].split("```")[1]
    said = {name: args.split(", ") for name, args in re.findall(r"(\w+)\(([\w, ]+)\)(?: ->|  +refuse)", table)}
    own = {name: hook for name, hook in vars(Institution).items() if inspect.isfunction(hook)}
    hooks = {name: list(inspect.signature(hook).parameters)[1:] for name, hook in own.items() if name[0] != "_"}
    hooks.pop("said")  # a help, not a hook
    assert said == hooks


def test_a_situation_says_by_what_it_is_governed():
    levy, contract = Levy(on="request"), Contract(on="request")
    assert (POOL.institutions, POOL.bare) == ((), POOL)
    g = govern(POOL, levy, contract)
    assert (g.institutions, g.bare) == ((levy, contract), POOL)
    crowd = Crowd(g)  # what is made of another situation is under the same rules
    assert (crowd.institutions, crowd.bare.institutions, crowd.roles, crowd.kinds) == (
        g.institutions,
        (),
        ("crowd",),
        POOL.kinds,
    )


def test_what_takes_two_is_refused_alone():
    alone = Pool(agents=1)
    for rule in (Gift(), Interest(), Treaty(on="request")):
        with pytest.raises(Refusal, match=f"{rule.name} needs at least 2 agents, and pool has 1"):
            govern(alone, rule)
    assert govern(alone, Contract(on="request")).agents == 1


@eqx.filter_jit
def first(situation):
    state = situation.reset(jax.random.key(0))
    return state, situation.observe(state), situation.scene(state)


def test_the_outline_is_the_shapes_of_what_is_computed_and_is_found_once():
    g = govern(SITUATIONS["harvest"], Levy())
    found = outline(g)
    for shapes, values in zip((found.state, found.told, found.scene), first(g), strict=True):
        assert jax.tree.structure(shapes) == jax.tree.structure(values)
        pairs = zip(jax.tree.leaves(shapes), jax.tree.leaves(values), strict=True)
        assert all((a.shape, a.dtype) == (b.shape, b.dtype) for a, b in pairs)
    assert outline(govern(SITUATIONS["harvest"], Levy(rate=0.5))) is found  # a setting changes no shape
    assert outline(govern(SITUATIONS["harvest"].replace(agents=3), Levy())).told["view"].shape[0] == 3
    assert (outline(POOL).scene, outline(POOL).planes) == (None, ())


def test_what_an_institution_notes_and_pays_stands_under_its_name():
    nothing = jnp.zeros(3)
    before = Outcome(nothing, nothing, {"harvest": nothing}, jnp.array(False))
    noted = before.note(Levy(title="tithe"), seen=jnp.array([True, False, True]), sort=jnp.arange(3))
    assert noted.transfer is before.transfer
    assert noted.events["tithe.seen"].tolist() == [1.0, 0.0, 1.0]
    assert [noted.events[e].dtype for e in ("tithe.seen", "tithe.sort")] == [jnp.float32, jnp.int32]
    paid = noted.pay(jnp.ones(3), "dam", by=nothing, amount=nothing)
    assert set(paid.events) == {"harvest", "tithe.seen", "tithe.sort", "dam.by", "dam.amount"}
    assert paid.transfer.tolist() == [1, 1, 1]
    assert set(before.pay(jnp.ones(3)).events) == {"harvest"}


# --- roles ----------------------------------------------------------------------------------------------------

PENNIES = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
# the first's choice is good for nobody; the other two play the dilemma of the tutorial
IDLE = [np.zeros((2, 2, 2)), *([np.stack([np.array(x)] * 2) for x in Matrix().payoff])]
ROLES = {
    "nobody's place differs": (Pool(agents=3), ("agent",) * 3),
    "strangers": (Pool(agents=3, outsiders=1), ("insider", "insider", "stranger")),
    "driving": (Driving(agents=3), ("ambulance", "car", "car")),
    "boycott": (Boycott(), ("buyer", "buyer", "seller")),
    "governed": (govern(Boycott(), Levy(on="breach")), ("buyer", "buyer", "seller")),
    "a symmetric game": (Matrix(), ("player",) * 2),
    "pennies": (Matrix(payoff=PENNIES), ("player 1", "player 2")),
    "two of three": (Matrix(payoff=IDLE), ("player 1", "player 2", "player 2")),
    "signals": (Signals(), ("player",) * 2),
    "one is better informed": (Signals(prior=[[0.5, 0.0], [0.25, 0.25]]), ("player 1", "player 2")),
    "another plan for each": (Signals(plan=[2, 3]), ("player 1", "player 2")),
    "a closed orchard": (Harvest.preset("open", agents=3, cooperators=1), ("cooperator inner", "inner", "agent")),
}


@pytest.mark.parametrize("name", ROLES)
def test_a_situation_says_whose_place_differs(name):
    place, roles = ROLES[name]
    assert place.roles == roles


def test_roles_that_depend_on_numbers_are_not_read_inside_a_program():
    with pytest.raises(Refusal, match=r"roles depend on matrix\.payoff"):
        jax.eval_shape(lambda payoff: len(Matrix(payoff=payoff).roles), Matrix().payoff)


def test_strangers_fish_like_others_and_what_they_take_is_an_intrusion():
    plain, mixed = run(POOL, 1), run(POOL.replace(outsiders=2), 1)
    equal(plain.after, mixed.after)  # whose catch it is makes no fish
    events = dict(mixed.outcome.events)
    np.testing.assert_array_equal(events.pop("intrusion"), events["harvest"] * [0, 1, 1])
    equal(plain.outcome.events, events)
    assert mixed.seen["stranger"][0].tolist() == [[0], [1], [1]]
    assert (set(plain.seen), set(plain.outcome.events)) == ({"level"}, {"harvest", "request", "sparse", "kind"})
    with pytest.raises(Refusal, match=r"pool\.outsiders is 3 of 3 agents, and at least one must.*; agents=5 would be"):
        POOL.replace(outsiders=3)
    with pytest.raises(Refusal, match="levy needs 'intrusion', which pool does not offer"):
        govern(POOL, Levy(on="intrusion"))


class Tolled(Pool):
    """The last fisher pays a toll."""

    def step(self, key, state, action):
        after, out = super().step(key, state, action)
        return after, dataclasses.replace(out, reward=out.reward * (1 - 0.5 * jnp.eye(self.agents)[-1]))


class Harboured(Tolled):
    """It says so."""

    @property
    def roles(self):
        return (*("near",) * (self.agents - 1), "far")


def test_impersonality_is_judged_within_roles():
    def verdict(place):
        return Bench(place).questions()["impersonality"]()

    for fair in (Harboured(agents=3), Signals(), POOL.replace(outsiders=2)):
        assert verdict(fair).startswith("within a role")
    with pytest.raises(Wrong, match=r"of one role differently.*name those whose place differs in `roles`"):
        verdict(Tolled(agents=3))
    for place, words in ((Matrix(payoff=PENNIES), "no two agents"), (Boycott(), "draws what agents get")):
        with pytest.raises(Skip, match=words):
            verdict(place)
