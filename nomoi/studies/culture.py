"""The tutorial's second part, first half: why human groups hold together."""

from nomoi.runs.study import Family

FAMILY = Family(
    "culture",
    "How do people come to share what they know, and the rules that they punish one another for breaking?",
    (
        "average_fitness", "niche", "anything_else", "silly_communities", "group_size", "division_of_labour", "arrows",
    ),
)  # fmt: skip
