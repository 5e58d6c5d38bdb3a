"""nomoi: a laboratory for one question, how can we live together?

>>> import nomoi
>>> village = nomoi.govern(nomoi.Harvest(), nomoi.Levy(rate=2.0))

Names are loaded when they are first used, so that `nomoi --help` does not wait for JAX.
"""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

__version__ = "0.2.0"

if TYPE_CHECKING:
    from nomoi.core.events import Event as Event
    from nomoi.core.govern import Governed as Governed
    from nomoi.core.govern import govern as govern
    from nomoi.core.institution import Institution as Institution
    from nomoi.core.learner import Learner as Learner
    from nomoi.core.measure import Measure as Measure
    from nomoi.core.rollout import rollout as rollout
    from nomoi.core.settings import choice as choice
    from nomoi.core.settings import setting as setting
    from nomoi.core.settings import size as size
    from nomoi.core.situation import Outcome as Outcome
    from nomoi.core.situation import Situation as Situation
    from nomoi.core.spec import rebuild as rebuild
    from nomoi.core.spec import spec as spec
    from nomoi.errors import Missing as Missing
    from nomoi.errors import Refusal as Refusal
    from nomoi.files import data as data
    from nomoi.institutions.agenda import Agenda as Agenda
    from nomoi.institutions.altar import Altar as Altar
    from nomoi.institutions.assembly import Assembly as Assembly
    from nomoi.institutions.authority import Authority as Authority
    from nomoi.institutions.bench import Bench as Bench
    from nomoi.institutions.berried import Berried as Berried
    from nomoi.institutions.challenged import Challenged as Challenged
    from nomoi.institutions.charter import Charter as Charter
    from nomoi.institutions.chronicle import Chronicle as Chronicle
    from nomoi.institutions.contract import Contract as Contract
    from nomoi.institutions.court import Court as Court
    from nomoi.institutions.deed import Deed as Deed
    from nomoi.institutions.deposit import Deposit as Deposit
    from nomoi.institutions.disclosure import Disclosure as Disclosure
    from nomoi.institutions.escrow import Escrow as Escrow
    from nomoi.institutions.fine import Fine as Fine
    from nomoi.institutions.gapfiller import Gapfiller as Gapfiller
    from nomoi.institutions.gate import Gate as Gate
    from nomoi.institutions.gauge import Gauge as Gauge
    from nomoi.institutions.gear import Gear as Gear
    from nomoi.institutions.gift import Gift as Gift
    from nomoi.institutions.giveback import Giveback as Giveback
    from nomoi.institutions.interest import Interest as Interest
    from nomoi.institutions.levy import Levy as Levy
    from nomoi.institutions.licence import Licence as Licence
    from nomoi.institutions.mediator import Mediator as Mediator
    from nomoi.institutions.monitor import Monitor as Monitor
    from nomoi.institutions.notch import Notch as Notch
    from nomoi.institutions.notice import Notice as Notice
    from nomoi.institutions.ostracism import Ostracism as Ostracism
    from nomoi.institutions.peers import Peers as Peers
    from nomoi.institutions.permits import Permits as Permits
    from nomoi.institutions.principal import Principal as Principal
    from nomoi.institutions.quota import Quota as Quota
    from nomoi.institutions.rotation import Rotation as Rotation
    from nomoi.institutions.sanction import Sanction as Sanction
    from nomoi.institutions.season import Season as Season
    from nomoi.institutions.shares import Shares as Shares
    from nomoi.institutions.slot import Slot as Slot
    from nomoi.institutions.survey import Survey as Survey
    from nomoi.institutions.taboo import Taboo as Taboo
    from nomoi.institutions.tax import Tax as Tax
    from nomoi.institutions.title import Title as Title
    from nomoi.institutions.traps import Traps as Traps
    from nomoi.institutions.treaty import Treaty as Treaty
    from nomoi.institutions.vent import Vent as Vent
    from nomoi.institutions.vote import Vote as Vote
    from nomoi.institutions.wardens import Wardens as Wardens
    from nomoi.learners.deciding import Aggregate as Aggregate
    from nomoi.learners.deciding import Decisions as Decisions
    from nomoi.learners.deciding import Individual as Individual
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
    from nomoi.learners.tabular import Tabular as Tabular
    from nomoi.learners.villagers import Villagers as Villagers
    from nomoi.measure.evaluate import evaluate as evaluate
    from nomoi.measure.measures import measures as measures
    from nomoi.measure.statistics import Estimate as Estimate
    from nomoi.play.table import Table as Table
    from nomoi.play.transcript import Transcript as Transcript
    from nomoi.runs.claims import Claim as Claim
    from nomoi.runs.claims import Reading as Reading
    from nomoi.runs.compare import compare as compare
    from nomoi.runs.frames import frame as frame
    from nomoi.runs.store import Store as Store
    from nomoi.runs.study import Family as Family
    from nomoi.runs.study import Study as Study
    from nomoi.runs.study import run as run
    from nomoi.runs.trained import Trained as Trained
    from nomoi.runs.trial import Trial as Trial
    from nomoi.runs.trials import Computed as Computed
    from nomoi.runs.trials import Evaluated as Evaluated
    from nomoi.runs.trials import Scripted as Scripted
    from nomoi.scripts.citizens import Citizen as Citizen
    from nomoi.scripts.enforcer import Enforcer as Enforcer
    from nomoi.scripts.fixed import Constant as Constant
    from nomoi.scripts.fixed import Forager as Forager
    from nomoi.scripts.fixed import Mixed as Mixed
    from nomoi.scripts.fixed import Random as Random
    from nomoi.scripts.newcomer import Newcomer as Newcomer
    from nomoi.scripts.traders import Trader as Trader
    from nomoi.scripts.wardens import Warden as Warden
    from nomoi.situations.allelopathic import Allelopathic as Allelopathic
    from nomoi.situations.archive import Archive as Archive
    from nomoi.situations.bazaar import Bazaar as Bazaar
    from nomoi.situations.berries import Berries as Berries
    from nomoi.situations.boycott import Boycott as Boycott
    from nomoi.situations.cleanup import Cleanup as Cleanup
    from nomoi.situations.commons import Commons as Commons
    from nomoi.situations.contribution import Contribution as Contribution
    from nomoi.situations.driving import Driving as Driving
    from nomoi.situations.errand import Errand as Errand
    from nomoi.situations.harvest import Harvest as Harvest
    from nomoi.situations.irrigation import Irrigation as Irrigation
    from nomoi.situations.laboratory import Laboratory as Laboratory
    from nomoi.situations.lake import Lake as Lake
    from nomoi.situations.lemons import Lemons as Lemons
    from nomoi.situations.lobster import Lobster as Lobster
    from nomoi.situations.matrix import Matrix as Matrix
    from nomoi.situations.moderation import Moderation as Moderation
    from nomoi.situations.mushrooms import Mushrooms as Mushrooms
    from nomoi.situations.offswitch import Offswitch as Offswitch
    from nomoi.situations.pool import Pool as Pool
    from nomoi.situations.reservations import Reservations as Reservations
    from nomoi.situations.signals import Signals as Signals
    from nomoi.situations.technique import Technique as Technique
    from nomoi.situations.vases import Vases as Vases
    from nomoi.situations.works import Works as Works

page(__name__)
