"""Small trainings, and how tests compare what came of them."""

import numpy as np

from nomoi.institutions.levy import Levy
from nomoi.learners.ppo import PPO
from nomoi.runs.make import make
from nomoi.runs.record import Asked
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained
from nomoi.runs.trial import Run
from nomoi.situations.pool import Pool

LEARNER = PPO(worlds=4, steps=8, minibatches=2, epochs=1, hidden=8)
UPDATE = LEARNER.batch  # world steps; so few updates are logged one by one


def trial(label="levied", rate=0.5, updates=3, learner=LEARNER, snapshots=0, parent="", **changes):
    levy = Levy(on="request", rate=rate)
    return Trained(label, Pool(horizon=6, **changes), (levy,), updates * UPDATE, learner, snapshots, parent=parent)


def asked(one, seed=0):
    return Run(one, seed).asked


def train(place, *trials, seeds=(0,), tell=lambda _: None, **how):
    """The records of the trials, one after the other."""
    store = place if isinstance(place, Store) else Store(place)
    made = make(store, trials, seeds, tell, **how).results
    return [record for one in trials for record in made.records[one.label]]


def what(k=0, seed=0, kind="Computed", code="a"):
    """What would name a record, of no trial that there is."""
    return Asked({"trial": {"class": f"somewhere:{kind}", "options": {"k": k}}, "seed": seed, "parents": []},
                 {"nomoi.somewhere": code})  # fmt: skip


def put(place, curve, asked=None, arrays=None, label="one", measures=None, **facts):
    """A record that no trial made."""
    store = place if isinstance(place, Store) else Store(place)
    known = {"parents": [], "own": {}, "wall_seconds": 1.0} | facts
    return store.put(asked or what(), curve, arrays, named={"label": label}, measures=measures or {}, **known)


def values(record):
    return {m: v for m, (_, v) in record.curve().items()}


def same(one, other):
    """Bit for bit."""
    a, b = values(one), values(other)
    assert a.keys() == b.keys()
    for m in a:
        np.testing.assert_array_equal(a[m], b[m])
    for k, v in one.arrays().items():
        np.testing.assert_array_equal(v, other.arrays()[k])


__all__ = ["LEARNER", "UPDATE", "Run", "Store", "asked", "make", "put", "same", "train", "trial", "values", "what"]
