"""Institutions: rules that people add to situations, one a file."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
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

page(__name__)
