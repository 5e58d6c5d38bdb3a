"""Runs: trials, the records that they leave, and studies that judge claims from records."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.runs.claims import Claim as Claim
    from nomoi.runs.claims import Reading as Reading
    from nomoi.runs.claims import Results as Results
    from nomoi.runs.claims import Verdict as Verdict
    from nomoi.runs.compare import Comparison as Comparison
    from nomoi.runs.record import Record as Record
    from nomoi.runs.regimes import Regime as Regime
    from nomoi.runs.store import Store as Store
    from nomoi.runs.study import Family as Family
    from nomoi.runs.study import Findings as Findings
    from nomoi.runs.study import Study as Study
    from nomoi.runs.study import run as run
    from nomoi.runs.trained import Trained as Trained
    from nomoi.runs.trial import Trial as Trial
    from nomoi.runs.trials import Computed as Computed
    from nomoi.runs.trials import Evaluated as Evaluated
    from nomoi.runs.trials import Scripted as Scripted

page(__name__)
