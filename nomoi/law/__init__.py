"""Law as a classification that all can read: who deters whom (boycott), what the rules are (system), how well
they are rules (fuller), and what legal attributes do to the bound (attributes)."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.law.attributes import Classification as Classification
    from nomoi.law.boycott import Trade as Trade
    from nomoi.law.fuller import Decision as Decision
    from nomoi.law.fuller import fuller as fuller
    from nomoi.law.log import Entry as Entry
    from nomoi.law.rules import Condition as Condition
    from nomoi.law.rules import Rule as Rule
    from nomoi.law.samples import charter as charter
    from nomoi.law.system import Judgment as Judgment
    from nomoi.law.system import LegalSystem as LegalSystem

page(__name__)
