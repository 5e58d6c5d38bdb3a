"""Whose values: what is made of votes, of rankings, of comparisons and of answers."""

from nomoi.runs.study import Family

FAMILY = Family(
    "pluralism",
    "Whose values does a list of rules, a reward or a model's answers hold, and whom do they leave out?",
    ("consensus", "arrow", "hidden_context", "temperature", "senate"),
)
