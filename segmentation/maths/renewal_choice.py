"""Which contract model to use: both fitted, compared by likelihood, and the reason in words' parts."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import chi2

from segmentation.maths import bdw, sbg
from segmentation.maths.renewal_fitting import METHODS, REFERENCE
from segmentation.maths.renewals import RenewalFit, Renewals

LEVEL = 0.05  # of the likelihood-ratio test that must be passed before the third parameter is believed


@dataclass(frozen=True, eq=False)
class Choice:
    """`reason` is a code: age_matters (c differs from 1), age_does_not_matter, data_cannot_tell (no maximum of the likelihood)."""

    chosen: RenewalFit
    other: RenewalFit
    statistic: float  # twice the gain of the third parameter, >= 0
    p_value: float
    reason: str

    @property
    def in_words(self) -> str:
        test = f"LR = {self.statistic:.2f}, p = {self.p_value:.3f}"
        return {
            "age_matters": f"A contract's own risk changes with its age (c differs from 1: {test}).",
            "age_does_not_matter": f"A third parameter brings nothing that chance would not ({test}).",
            "data_cannot_tell": "The contracts cannot tell the models apart; the simpler one is used.",
        }[self.reason]


def likelihood_ratio(simple: RenewalFit, full: RenewalFit) -> tuple[float, float]:
    """Statistic and p-value of c = 1, chi-squared with one degree of freedom, of maximum likelihood fits of the same contracts."""
    if (simple.model, full.model) != ("sbg", "bdw") or simple.method != "ml" or full.method != "ml":
        raise ValueError("the test compares maximum likelihood fits of sbg and bdw")
    statistic = max(0.0, 2.0 * (full.log_likelihood - simple.log_likelihood))
    return statistic, float(chi2.sf(statistic, 1))


def choose(renewals: Renewals, *, method: str = "auto", reference: Renewals | None = REFERENCE) -> Choice:
    """Fit both by `method`, test c = 1 on the maximum likelihood fits whatever the method, and take bdw where the test speaks for it."""
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}")
    fits = [model.fit(renewals, method=method, reference=reference) for model in (sbg, bdw)]
    tested = fits if all(fit.method == "ml" for fit in fits) else [model.fit(renewals, method="ml") for model in (sbg, bdw)]
    if any(fit.method != "ml" for fit in tested):
        return Choice(fits[0], fits[1], 0.0, 1.0, "data_cannot_tell")
    statistic, p_value = likelihood_ratio(tested[0], tested[1])
    if p_value < LEVEL:
        return Choice(fits[1], fits[0], statistic, p_value, "age_matters")
    return Choice(fits[0], fits[1], statistic, p_value, "age_does_not_matter")
