"""What an audit finds: one finding a check, and the whole of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PASS, WARN, FAIL, NOT_APPLICABLE, NOT_ENOUGH = "pass", "warn", "fail", "not applicable", "not enough given"
STATUSES = (PASS, WARN, FAIL, NOT_APPLICABLE, NOT_ENOUGH)


@dataclasses.dataclass(frozen=True)
class Finding:
    """One check.

    value, threshold   what was found, and what it was held against; in words where it is no number
    evidence           what the finding rests on;  advice   what to do
    """

    check: str
    status: str
    value: Any = None
    threshold: Any = None
    evidence: str = ""
    advice: str = ""

    def __post_init__(self) -> None:
        assert self.status in STATUSES, self.status

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return plain(dataclasses.asdict(self))


@dataclasses.dataclass(frozen=True)
class Audit:
    """All findings about one file; `details` are numbers by name, `drawn` is what its page draws."""

    kind: str
    title: str
    findings: Sequence[Finding]
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()
    drawn: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a check fails."""
        return any(f.status == FAIL for f in self.findings)

    def status(self, check: str) -> str:
        """What a check found."""
        return self.finding(check).status

    def finding(self, check: str) -> Finding:
        """The finding of a check."""
        return next(f for f in self.findings if f.check == check)

    def data(self) -> dict[str, Any]:
        """As plain data; no number becomes null, and what is infinite a word."""
        return {
            "audit": self.kind,
            "title": self.title,
            "failed": self.failed,
            "findings": [f.data() for f in self.findings],
            "details": plain(self.details),
            "notes": list(self.notes),
        }


def nil(value: float, beside: float, share: float = 1e-12) -> float:
    """0 where `value` is what rounding leaves, or a solver misses by: less than a share of the numbers beside it.

    A number alone does not tell: 1e-15 of a utility is dust, and of a chance it may be all there is.
    """
    return 0.0 if abs(value) < share * abs(beside) else value


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return None
        return float(value) if math.isfinite(value) else "inf" if value > 0 else "-inf"
    return value
