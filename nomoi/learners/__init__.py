"""Learners, and the objectives that they may have."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.core.learner import Learner as Learner
    from nomoi.learners.conscience import Conscience as Conscience
    from nomoi.learners.deciding import Aggregate as Aggregate
    from nomoi.learners.deciding import Decisions as Decisions
    from nomoi.learners.deciding import Individual as Individual
    from nomoi.learners.joint import Crowd as Crowd
    from nomoi.learners.joint import Joint as Joint
    from nomoi.learners.negotiation import Settlement as Settlement
    from nomoi.learners.objectives import SVO as SVO
    from nomoi.learners.objectives import Common as Common
    from nomoi.learners.objectives import Edited as Edited
    from nomoi.learners.objectives import Formula as Formula
    from nomoi.learners.objectives import Inequity as Inequity
    from nomoi.learners.objectives import Objective as Objective
    from nomoi.learners.objectives import Own as Own
    from nomoi.learners.objectives import Proxy as Proxy
    from nomoi.learners.ppo import PPO as PPO
    from nomoi.learners.residents import Residents as Residents
    from nomoi.learners.tabular import Tabular as Tabular
    from nomoi.learners.villagers import Villagers as Villagers

page(__name__)
