"""What happened in episodes, in numbers with units, and in films."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.core.measure import Episode as Episode
    from nomoi.core.measure import Measure as Measure
    from nomoi.measure.evaluate import episodes as episodes
    from nomoi.measure.evaluate import evaluate as evaluate
    from nomoi.measure.ledger import Ledger as Ledger
    from nomoi.measure.ledger import Tally as Tally
    from nomoi.measure.measures import measures as measures
    from nomoi.measure.statistics import Estimate as Estimate
    from nomoi.measure.statistics import difference as difference
    from nomoi.measure.statistics import estimate as estimate
    from nomoi.measure.statistics import paired as paired

page(__name__)
