"""Markets are alignment mechanisms: what they bring, where they fail, and the institutions that they rest on."""

from nomoi.runs.study import Family

FAMILY = Family(
    "welfare",
    "When does trade align what each one wants with what is good for all, and what does it rest on?",
    ("equilibria", "welfare_theorems", "failures", "property", "ordinal"),
)
