"""The tutorial's first part: objectives that miss the point."""

from nomoi.runs.study import Family

FAMILY = Family(
    "misalignment",
    "What becomes of what people mean when something that stands in for it is optimised?",
    (
        "reward_audits",
        "label_choice",
        "incomplete_proxies",
        "manipulation",
        "goodhart",
        "unintended",
        "reward_edits",
        "unwritten",
    ),
)
