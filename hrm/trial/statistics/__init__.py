"""Statistics of a two-arm noninferiority trial, each with its reference and its checks.

Group 1 is the posterior (test) arm and group 2 the anterior (reference) arm. A difference is
group 1 minus group 2, a ratio is group 1 over group 2, and success is what is counted. A
noninferiority margin is positive, and the null hypothesis is a difference of at most minus
the margin. A `level` is two-sided; an `alpha` is one-sided.

Names load when they are used, so that a table of counts does not wait for a mixed model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.trial.statistics.exact import power_noninferiority_exact
    from hrm.trial.statistics.meta import mantel_haenszel_risk_ratio, meta_analysis
    from hrm.trial.statistics.mixed import mmrm
    from hrm.trial.statistics.noninferiority import noninferiority_test
    from hrm.trial.statistics.pooling import rubin_pool
    from hrm.trial.statistics.proportions import odds_ratio, risk_difference, risk_ratio
    from hrm.trial.statistics.rank import hodges_lehmann
    from hrm.trial.statistics.regression import ancova
    from hrm.trial.statistics.sample_size import (
        sample_size_noninferiority,
        sample_size_noninferiority_means,
    )
    from hrm.trial.statistics.stratified import stratified_risk_difference
    from hrm.trial.statistics.survival import (
        kaplan_meier,
        log_rank,
        restricted_mean_survival_time,
    )
    from hrm.trial.statistics.tipping import tipping_point_binary

__all__ = [
    "ancova",
    "hodges_lehmann",
    "kaplan_meier",
    "log_rank",
    "mantel_haenszel_risk_ratio",
    "meta_analysis",
    "mmrm",
    "noninferiority_test",
    "odds_ratio",
    "power_noninferiority_exact",
    "restricted_mean_survival_time",
    "risk_difference",
    "risk_ratio",
    "rubin_pool",
    "sample_size_noninferiority",
    "sample_size_noninferiority_means",
    "stratified_risk_difference",
    "tipping_point_binary",
]

_HOME = {
    "ancova": "regression",
    "hodges_lehmann": "rank",
    "kaplan_meier": "survival",
    "log_rank": "survival",
    "mantel_haenszel_risk_ratio": "meta",
    "meta_analysis": "meta",
    "mmrm": "mixed",
    "noninferiority_test": "noninferiority",
    "odds_ratio": "proportions",
    "power_noninferiority_exact": "exact",
    "restricted_mean_survival_time": "survival",
    "risk_difference": "proportions",
    "risk_ratio": "proportions",
    "rubin_pool": "pooling",
    "sample_size_noninferiority": "sample_size",
    "sample_size_noninferiority_means": "sample_size",
    "stratified_risk_difference": "stratified",
    "tipping_point_binary": "tipping",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in _HOME:
        return getattr(import_module(f"hrm.trial.statistics.{_HOME[name]}"), name)
    raise AttributeError(f"module 'hrm.trial.statistics' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Names offered for completion."""
    return sorted(__all__)
