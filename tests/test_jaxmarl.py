"""The adapter of JaxMARL's shape: what is lived through it is what nomoi's own rollout lives through."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, made

from nomoi.core import govern
from nomoi.core.rollout import inhabited
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.play.jaxmarl import multi_agent_env
from nomoi.scripts.fixed import Random

KEY = jax.random.key(3)
LEVIED = govern(SITUATIONS["pool"], Levy(on="request", rate=0.5))

GIVING = govern(
    SITUATIONS["matrix"], Contract(on="defect")
)  # two heads beside the world's, and a world that stands still


def joint(env, action):
    """{head: [W, n]} as choices [W, n] of the adapter."""
    whole = jnp.zeros((), jnp.int32)
    for head, size in env.heads.items():
        whole = whole * size + action[head]
    return whole


@pytest.mark.parametrize("situation", [GIVING, LEVIED], ids=lambda s: s.name)
def test_step_by_step_it_is_the_native_rollout(situation):
    """The same keys and the same choices bring the same rewards, ends and observations, in two worlds side by side."""
    env, script = multi_agent_env(situation), Random()
    steps = 8
    begun, _, acting = jax.random.split(KEY, 3)

    @jax.jit
    def native(key):
        first, live = inhabited(key, situation, script, 2)

        def tick(now, t):
            keys = jax.random.split(jax.random.fold_in(acting, t), 2)
            seen = now.worlds.observe(situation)
            act = lambda k, s, c: script.act(k, (), situation, s, c)  # noqa: E731
            action, _ = jax.vmap(act)(keys, seen, now.carry)
            later, _, outcome, done = live(now, t)
            return later, (joint(env, action), outcome.reward + outcome.transfer, done, seen)

        return jax.lax.scan(tick, first, jnp.arange(steps))[1]

    @jax.jit
    def adapted(keys, choices):
        seen, state = jax.vmap(env.reset)(keys)

        def tick(now, own):
            seen, state = now
            actions = {a: own[:, i] for i, a in enumerate(env.agents)}
            seen2, state, rewards, dones, infos = jax.vmap(env.step)(keys, state, actions)
            return (seen2, state), (rewards, dones, infos, seen)

        return jax.lax.scan(tick, (seen, state), choices)[1]

    choices, payoff, done, told = native(KEY)
    rewards, dones, infos, seen = adapted(jax.random.split(begun, 2), choices)
    lived = np.cumsum(np.asarray(done), 0) - np.asarray(done) == 0  # what follows an end is another episode
    assert lived.sum() >= steps
    for i, a in enumerate(env.agents):
        # two programs differ by float dust
        np.testing.assert_allclose(np.asarray(rewards[a])[lived], np.asarray(payoff[..., i])[lived], rtol=1e-6)
        np.testing.assert_array_equal(dones[a], dones["__all__"])
        for name, (first, shape) in env.layout.items():
            flat = np.asarray(told[name])[:, :, i].reshape(steps, 2, -1)
            mine = seen[a][..., first : first + int(np.prod(shape))]
            np.testing.assert_allclose(mine[lived], flat[lived], rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(dones["__all__"])[lived], np.asarray(done)[lived])
    np.testing.assert_allclose(np.stack([rewards[a] for a in env.agents], -1), infos["reward"] + infos["transfer"])


def test_a_new_episode_begins_where_one_ended_and_only_in_step():
    env = multi_agent_env(SITUATIONS["matrix"])  # 8 steps
    none = dict.fromkeys(env.agents, jnp.int32(0))
    _, state = env.reset(KEY)
    for k in range(8):
        last, key = state, jax.random.fold_in(KEY, k)
        _, state, rewards, dones, _ = env.step(key, state, none)
        assert bool(dones["__all__"]) == (k == 7)
    assert int(state.step) == 0
    fresh = env.reset(jax.random.split(key)[1])[1]
    assert (jax.random.key_data(state.key) == jax.random.key_data(fresh.key)).all()
    assert float(rewards["agent_0"]) == float(env.step_env(key, last, none)[2]["agent_0"])  # of the step that ended it
    assert int(env.step_env(key, last, none)[1].step) == 8
    given = env.step(key, last, none, fresh)[1]
    assert (jax.random.key_data(given.key) == jax.random.key_data(fresh.key)).all()


def test_several_heads_are_one_choice_or_one_each():
    place = made("matrix, levy+two contracts")
    env, each = multi_agent_env(place), multi_agent_env(place, several="each")
    sizes = tuple(env.heads.values())
    assert env.action_space("agent_0").n == np.prod(sizes)
    assert each.action_space("agent_1").num_categories == sizes
    for choice in (0, 1, sizes[-1], int(np.prod(sizes)) - 1):
        parts = [int(x) for x in env.split(jnp.int32(choice)).values()]
        assert parts == list(map(int, np.unravel_index(choice, sizes)))
    _, state = env.reset(KEY)
    assert {h: bool(x[0]) for h, x in place.asked(state.world).items()}["contract.propose"]
    free = np.flatnonzero(env.get_avail_actions(state)["agent_0"])
    heads = [np.unravel_index(k, sizes) for k in free]
    proposals = env.heads["contract.propose"] * env.heads["second.propose"]
    assert len(free) == proposals  # the rest is not asked
    assert {h[0] for h in heads} == {0}
    mask = np.asarray(each.get_avail_actions(state)["agent_1"])
    assert mask.shape == (sum(sizes),)
    assert mask.sum() == len(sizes)  # nothing is asked of the second agent
    chosen = {a: s.sample(KEY) for a, s in ((a, each.action_space(a)) for a in each.agents)}
    assert all(bool(each.action_space(a).contains(x)) for a, x in chosen.items())
    assert each.step(KEY, state, chosen)[3]["__all__"].shape == ()
    with pytest.raises(Refusal, match=r"combinations, too many.*several=\"each\""):
        multi_agent_env(
            govern(SITUATIONS["pool"], Contract(on="request"), Contract(on="request", title="b", levels=99))
        )


def test_a_view_is_planes_and_old_keys_are_taken():
    env = multi_agent_env(SITUATIONS["harvest"])
    seen, state = env.reset(jax.random.PRNGKey(0))
    first, shape = env.layout["view"]
    assert (first, shape) == (0, (4, 5, 3))
    view = np.asarray(seen["agent_1"][: 4 * 5 * 3]).reshape(shape)
    code = np.asarray(env.situation.observe(state.world)["view"][1])
    np.testing.assert_array_equal(view, code[..., None] >> np.arange(3, dtype=code.dtype) & 1)
    assert seen["agent_0"].shape == env.observation_space("agent_0").shape
    assert env.agent_classes == {"agent": env.agents}
    assert env.situation.emits["zap"].shape == "[n, n]"
    infos = jax.eval_shape(env.step_env, KEY, state, dict.fromkeys(env.agents, jnp.int32(7)))[4]
    assert {x.shape for x in infos.values()} == {(4,)}
    assert set(infos) == {"reward", "transfer", "present", *env.situation.emits}


def test_what_is_wrong_is_refused_in_a_sentence():
    env = multi_agent_env(LEVIED)
    _, state = env.reset(KEY)
    with pytest.raises(Refusal, match="agent_1 has none"):
        env.step(KEY, state, {"agent_0": 0})
    with pytest.raises(Refusal, match=r"shape \(2,\); \(\) would be right"):
        env.step(KEY, state, dict.fromkeys(env.agents, jnp.zeros(2, jnp.int32)))
    with pytest.raises(Refusal, match="there is no 'agent_9'"):
        env.action_space("agent_9")
    with pytest.raises(Refusal, match="several is 'all'"):
        multi_agent_env(LEVIED, several="all")
