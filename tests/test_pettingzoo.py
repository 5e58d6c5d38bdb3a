"""The PettingZoo adapter passes PettingZoo's own tests for every situation, governed or not."""

import numpy as np
import pytest
from small import ALL, SITUATIONS, made

pytest.importorskip("pettingzoo")
from pettingzoo.test import parallel_api_test, parallel_seed_test

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.play import pettingzoo as adapter
from nomoi.play.pettingzoo import parallel_env

TALL = ["harvest, contract+altar+sanction", "pool, altar+contract+levy", "matrix, levy+two contracts"]
MADE = SITUATIONS | {name: made(name) for name in TALL if name in ALL}
# One of each shape of world; every other by name: what the adapter reads of it, conformance tests have seen.
DAILY = {"harvest", "matrix", "pool", "irrigation", "bazaar", "moderation", *TALL}
worlds = pytest.mark.parametrize("name", [n if n in DAILY else pytest.param(n, marks=pytest.mark.slow) for n in MADE])


def random_play(env, seed, steps=40):
    """Everything that an episode of random actions returns."""
    told = [env.reset(seed=seed)]
    for k, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(k)
    while env.agents and len(told) < steps:
        told.append(env.step({a: env.action_space(a).sample() for a in env.agents}))
    return told


@worlds
def test_pettingzoo_finds_nothing_wrong(name):
    parallel_api_test(parallel_env(MADE[name]), num_cycles=12)
    parallel_seed_test(lambda: parallel_env(MADE[name], seed=3), num_cycles=12)


@worlds
def test_what_is_seen_lies_in_its_space_and_payoffs_add_up(name):
    env = parallel_env(MADE[name])
    (seen, infos), *steps = random_play(env, 1)
    assert set(infos["agent_0"]["asked"]) == set(env.heads)
    for seen, rewards, terminated, truncated, infos in steps:  # noqa: B007
        for a in env.possible_agents:
            assert env.observation_space(a).contains(seen[a])
            assert rewards[a] == pytest.approx(infos[a]["reward"] + infos[a]["transfer"])
            assert set(infos[a]["events"]) == set(MADE[name].emits)
    ends = [(any(s[2].values()), any(s[3].values())) for s in steps]
    assert not any(map(any, ends[:-1]))
    assert sum(ends[-1]) == (0 if env.agents else 1)


def test_the_view_is_spread_into_named_planes():
    s = SITUATIONS["harvest"]
    env = parallel_env(s)
    seen, _ = env.reset(seed=0)
    view = seen["agent_1"]["view"]
    assert view.shape == (4, 5, len(env.planes))
    assert view.dtype == np.uint8
    assert env.planes == ("wall", "apple", "agent")
    assert view[..., 0].any()
    assert set(np.unique(view)) == {0, 1}


def test_the_horizon_is_an_end_as_any_other_and_nothing_is_truncated():
    """What learners of nomoi are told is what those of others are told: no value follows an end."""
    last = random_play(parallel_env(SITUATIONS["matrix"]), 0)
    assert len(last) == 1 + 8
    assert all(last[-1][2].values())
    assert not any(last[-1][3].values())
    greedy = parallel_env(SITUATIONS["pool"].replace(most=5.0))
    greedy.reset(seed=0)
    _, _, terminated, truncated, _ = greedy.step(dict.fromkeys(greedy.agents, 12))
    assert all(terminated.values())
    assert not any(truncated.values())
    assert greedy.agents == []
    assert greedy.step({}) == ({}, {}, {}, {}, {})


def test_convening_does_not_use_up_the_horizon():
    env = parallel_env(MADE["matrix, levy+two contracts"])
    assert env.heads == ("choose", "contract.propose", "contract.sign", "second.propose", "second.sign")
    (_, infos), *steps = random_play(env, 0)
    assert infos["agent_0"]["asked"] == {
        "choose": False, "contract.propose": True, "contract.sign": False, "second.propose": True, "second.sign": False,
    }  # fmt: skip
    assert not any(infos["agent_1"]["asked"].values())
    assert len(steps) == 2 + 8
    assert all(steps[-1][2].values())


def test_the_world_lives_through_the_same_after_a_contract_was_refused():
    plain, ruled = (parallel_env(s, seed=2) for s in (SITUATIONS["harvest"], govern(SITUATIONS["harvest"], Contract())))
    plain.reset()
    ruled.reset()
    for _ in range(2):
        ruled.step({a: np.zeros(3, int) for a in ruled.agents})
    moves = np.random.default_rng(0).integers(0, 8, (12, 4))
    for row in moves:
        a = plain.step({f"agent_{i}": move for i, move in enumerate(row)})
        b = ruled.step({f"agent_{i}": np.array([move, 0, 0]) for i, move in enumerate(row)})
        assert a[1] == b[1]
        for agent in plain.agents:
            assert (a[0][agent]["view"] == b[0][agent]["view"]).all()
            assert (a[0][agent]["compass"] == b[0][agent]["compass"]).all()


def test_agents_stay_while_they_are_out_of_play():
    env = parallel_env(SITUATIONS["harvest"].replace(exile=5))
    away = False
    for seed in range(6):
        for told in random_play(env, seed)[1:]:
            infos = told[-1]
            assert set(infos) == set(env.possible_agents)
            for a, info in infos.items():
                if not info["present"]:
                    away = True
                    assert not told[0][a]["view"].any()
                    assert not info["asked"]["move"]
    assert away


def test_seeds_make_episodes():
    env = parallel_env(SITUATIONS["harvest"], seed=4)
    first = env.reset()[0]["agent_0"]["compass"]
    second = env.reset()[0]["agent_0"]["compass"]
    assert (env.reset(seed=4)[0]["agent_0"]["compass"] == first).all()
    assert (env.reset()[0]["agent_0"]["compass"] == second).all()
    starts = {tuple(env.reset()[0]["agent_0"]["compass"].tolist()) for _ in range(8)}
    assert len(starts) > 3


def test_what_is_wrong_is_refused_in_a_sentence(monkeypatch):
    env = parallel_env(SITUATIONS["matrix"])
    env.reset()
    with pytest.raises(Refusal, match="agent_1 has none"):
        env.step({"agent_0": 0})
    with pytest.raises(Refusal, match=r"7 of agent_2 is not an action.*choose"):
        env.step({"agent_0": 0, "agent_1": 1, "agent_2": 7})
    with pytest.raises(Refusal, match="no 'agent_9'"):
        env.step({"agent_0": 0, "agent_1": 1, "agent_2": 1, "agent_9": 0})
    with pytest.raises(Refusal, match="no land"):
        env.render()
    monkeypatch.setattr(adapter, "ParallelEnv", object)
    with pytest.raises(Refusal, match=r"pip install nomoi\[envs\]"):
        parallel_env(SITUATIONS["matrix"])


def test_a_world_with_land_can_be_painted():
    env = parallel_env(SITUATIONS["harvest"])
    with pytest.raises(Refusal, match="reset first"):
        env.render()
    env.reset()
    picture = env.render()
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert picture.dtype == np.uint8
