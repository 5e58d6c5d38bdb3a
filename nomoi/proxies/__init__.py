"""Objectives that miss the point: audits of rewards, labels and proxies, and models of what comes of them."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.proxies.expression import Expression as Expression
    from nomoi.proxies.findings import Audit as Audit
    from nomoi.proxies.findings import Finding as Finding
    from nomoi.proxies.goodhart import Deferring as Deferring
    from nomoi.proxies.goodhart import Gaps as Gaps
    from nomoi.proxies.goodhart import Tasks as Tasks
    from nomoi.proxies.manipulation import Feedback as Feedback

page(__name__)
