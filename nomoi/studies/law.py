"""The tutorial's second part, second half: rules that are about rules."""

from nomoi.runs.study import Family

FAMILY = Family(
    "law",
    "What makes rules law, who enforces it, and what becomes of the institutions that make it?",
    ("law_coordination", "charter_harvest", "polities"),
)
