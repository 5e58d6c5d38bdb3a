"""What a file of one's own does not keep is said before anything runs, in the sentence of `nomoi check`."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi import catalogue
from nomoi.core import govern, pilot
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.play.jaxmarl import multi_agent_env
from nomoi.runs import make, regimes
from nomoi.runs.trials import Scripted
from nomoi.scripts.fixed import Mixed, Random
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool

FILE = """
import dataclasses, jax, jax.numpy as jnp
from nomoi.core import Institution
from nomoi.core.learner import Learner
from nomoi.situations.pool import Pool

class Head(Learner):
    def act(self, key, mind, situation, seen, carry):
        return {"action": jnp.zeros(situation.agents, jnp.int32)}, carry
class Shape(Learner):
    def act(self, key, mind, situation, seen, carry):
        return {h: jnp.zeros((situation.agents, 1), jnp.int32) for h in situation.actions}, carry
class Floats(Learner):
    def act(self, key, mind, situation, seen, carry):
        return {h: jnp.zeros(situation.agents) for h in situation.actions}, carry
class Alone(Learner):
    def act(self, key, mind, situation, seen, carry):
        return {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions}
class List(Learner):
    def act(self, key, mind, situation, seen, carry):
        return [jnp.zeros(situation.agents, jnp.int32)], carry
class Grows(Learner):
    def start(self, mind, situation):
        return jnp.int32(0)
    def act(self, key, mind, situation, seen, carry):
        return {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions}, carry.astype(float)
class If(Learner):
    def act(self, key, mind, situation, seen, carry):
        x = 1 if seen["last"].sum() > 0 else 0
        return {h: jnp.full(situation.agents, x, jnp.int32) for h in situation.actions}, carry
class Far(Learner):
    def act(self, key, mind, situation, seen, carry):
        return {h: jnp.full(situation.agents, 99, jnp.int32) for h in situation.actions}, carry
class Later(Learner):  # out of reach only once something has happened
    def act(self, key, mind, situation, seen, carry):
        x = jnp.where(seen["last"].sum() > situation.agents * 1.5, -1, 1)
        return {h: jnp.full(situation.agents, x, jnp.int32) for h in situation.actions}, carry
class Forger(Institution):
    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, dataclasses.replace(outcome, reward=outcome.reward + 1)
class Copier(Institution):  # writes the reward that there was
    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, dataclasses.replace(outcome, reward=outcome.reward * 1)
class Pays(Institution):
    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, outcome.pay(jnp.ones(situation.agents), self)
class Short(Pool):
    def step(self, key, state, action):
        return super().step(key, state, {"request": action["ask"]})
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "bad.py").write_text(FILE)
    return lambda name: catalogue.load(f"{tmp_path / 'bad.py'}:{name}", "checked")()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Head", r"head in matrix answers \['action'\]; it must answer every head, \['choose'\]"),
        ("Shape", r"'choose' by \[2, 1\] int32; \[2\] int32 would be right"),
        ("Floats", r"'choose' by \[2\] float32; \[2\] int32 would be right"),
        ("Alone", r"act of alone in matrix gives dict; a pair would be right: \(action, carry\)"),
        ("List", r"answers with list; \{head: \[n\]\} would be right"),
        ("Grows", r"what grows in matrix remembers changes its type .*\[\] int32 became \[\] float32"),
        ("If", r"bad\.py, line \d+: Attempted boolean.*jnp\.where would be right"),
        ("Far", "far in matrix answers 99 to 'choose'; a choice from 0 to 1 would be right"),
    ],
)  # fmt: skip
def test_agents_of_ones_own_are_refused_before_the_first_run(name, said, own):
    with pytest.raises(Refusal, match=said + r".* \(`nomoi check .*bad\.py` says more\)\."):
        make.check([Scripted("one", Matrix(), own(name))])
    with pytest.raises(Refusal, match="says more"):  # also where it is a part of somebody of nomoi's
        pilot.tried_out(Matrix(), Mixed(Random(), own(name), jnp.int32(1)))


def test_an_answer_that_leaves_its_range_later_is_found(own):
    with pytest.raises(Refusal, match="later in matrix answers -1"):
        pilot.tried_out(Matrix(horizon=3), own("Later"))


def test_the_reward_is_the_worlds_alone_before_the_first_run_too(own):
    with pytest.raises(Refusal, match=r"forger changes the reward, which is the world's alone; pay through"):
        pilot.tried_out(govern(Matrix(), Levy(on="defect"), own("Forger")), Random())
    for fine in ("Copier", "Pays"):
        pilot.tried_out(govern(Matrix(), own(fine), Levy(on="defect")), Random())
    with pytest.raises(Refusal, match=r"KeyError at .*bad\.py, line \d+: 'ask' \(`nomoi check"):
        pilot.tried_out(own("Short"), Random())


def test_every_door_refuses_with_one_sentence(nomoi, tmp_path):
    (tmp_path / "bad.py").write_text(FILE)
    for words in (
        ("compare", "matrix", "--who", "bad.py:Far", "--under", "nothing"),
        ("meet", "matrix", "--who", "bad.py:Head", "--who", "random"),
        ("play", "matrix", "--seat", "bad.py:Shape"),
        ("compare", "matrix", "--who", "random", "--under", "bad.py:Forger"),
    ):
        status, out, err = nomoi(*words)
        assert (status, out) == (2, ""), words
        assert err.count("\n") == 1
        assert "bad.py` says more" in err
    assert not list((tmp_path / "runs").rglob("record.json"))


def test_the_adapter_of_jaxmarl_refuses_what_is_no_choice():
    env = multi_agent_env(Pool())
    _, state = env.reset(jax.random.key(0))
    zeros = dict.fromkeys(env.agents, jnp.int32(0))
    for actions, said in (
        (zeros | {"agent_1": jnp.int32(99)}, r"agent_1 is 99; 0 to \d+ would be right"),
        (zeros | {"agent_1": jnp.int32(-1)}, "agent_1 is -1"),
        (zeros | {"agent_0": jnp.float32(1)}, "agent_0 is of the type float32; int32 would be right"),
        (zeros | {"agent_0": "stay"}, "agent_0 is 'stay'; whole numbers"),
        (zeros | {"agent_7": jnp.int32(0)}, "no 'agent_7'"),
        (list(zeros.values()), "as {agent: choice}, and list is given"),
    ):
        with pytest.raises(Refusal, match=said):
            env.step(jax.random.key(1), state, actions)
    with pytest.raises(Refusal, match=r"'pool' is no situation; .*: multi_agent_env\(nomoi.Pool\(\)\)"):
        pilot.made("pool", "multi_agent_env")
    with pytest.raises(Refusal, match="of the type float32"):  # a type is known inside of a program too
        jax.jit(env.step)(jax.random.key(1), state, dict.fromkeys(env.agents, jnp.float32(0)))


def test_an_agent_of_ones_own_that_cannot_be_made_is_refused_with_its_line(tmp_path):
    body = "    def act(self, *given):\n        return {}, ()\n"
    sets, needs = "    def __init__(self, n=3):\n        self.n = n\n", "    n: int\n"
    for name, rest, said in (("sets", sets, r"sets\.py, line 4: .*'n'"), ("needs", needs, "missing 1 required")):
        text = f"from nomoi.core.learner import Learner\nclass Mine(Learner):\n{rest}{body}"
        (tmp_path / f"{name}.py").write_text(text)
        with pytest.raises(Refusal, match=f"Mine cannot be made .*{said}.*; fields declared in the class"):
            regimes.player(f"{tmp_path / name}.py:Mine")


def test_a_folder_that_only_begins_like_nomois_is_a_persons_own():
    home = Path(pilot.__file__).parents[1]
    for place, here in ((f"{home}_games/mine.py", True), (f"{home}/mine.py", False)):
        try:
            exec(compile("\n1 / 0", place, "exec"))
        except ZeroDivisionError as error:
            said = pilot.fault(error)
        where = f"at {place}, line 2" if here else f"at {__file__}"
        assert said.startswith(f"ZeroDivisionError {where}")
        assert said.endswith(": division by zero")


def test_the_first_choice_that_is_not_there_is_out_of_reach():
    pilot.in_reach("who", "choose", np.array([0, 1]), 2)
    for wrong in (2, -1):
        with pytest.raises(Refusal, match=f"who answers {wrong} to 'choose'; a choice from 0 to 1"):
            pilot.in_reach("who", "choose", np.array([0, wrong]), 2)
