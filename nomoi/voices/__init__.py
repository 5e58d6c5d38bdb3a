"""Whose values: votes on statements, consensus across groups, constitutions, rules of social choice, pluralism of
answers, and what institutions decided.
"""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.voices.constitution import Constitution as Constitution
    from nomoi.voices.decisions import Cases as Cases
    from nomoi.voices.opinion import Asked as Asked
    from nomoi.voices.opinion import Opinion as Opinion
    from nomoi.voices.opinion import examine as examine
    from nomoi.voices.process import Process as Process
    from nomoi.voices.rules import Profile as Profile
    from nomoi.voices.votes import Votes as Votes

page(__name__)
