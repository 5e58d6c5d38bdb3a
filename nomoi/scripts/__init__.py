"""Scripts: behaviour that never learns."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.scripts.citizens import Citizen as Citizen
    from nomoi.scripts.enforcer import Enforcer as Enforcer
    from nomoi.scripts.fixed import Constant as Constant
    from nomoi.scripts.fixed import Forager as Forager
    from nomoi.scripts.fixed import Mixed as Mixed
    from nomoi.scripts.fixed import Random as Random
    from nomoi.scripts.inference import Inference as Inference
    from nomoi.scripts.newcomer import Newcomer as Newcomer
    from nomoi.scripts.traders import Trader as Trader
    from nomoi.scripts.wardens import Warden as Warden

page(__name__)
