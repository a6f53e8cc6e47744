"""What is assumed of customers before there are enough of them: weak priors and a reference population.

From 1,000 customers on, the data speak alone. Below that a weak log-normal prior (sd 1.5 of the logarithm, so a factor 4.5 either
way is ordinary) keeps parameters from running away, as they do in 18 of 100 samples of 100 customers. Below 100 the *shapes*, that
is how customers differ from each other, are pooled with a reference population (sd 0.5), and the result is indicative; *how often*
they order and *how much* they spend stay the company's own, since few customers tell that well.
"""

from __future__ import annotations

from dataclasses import dataclass

from segmentation.maths.fitting import PRIOR_SD, Prior

ENOUGH, FEW = 1000, 100
REFERENCE_SD = 0.5


@dataclass(frozen=True)
class Shape:
    """Centres of one model's shape parameters: a weak guess, and the reference population's."""

    weak: tuple[float, ...]
    reference: tuple[float, ...]


# Reference for orders: a business-to-business population (in months, r 1.2, alpha 4, a .4, b 4: an order each 3.3 months while alive,
# one in eleven orders the last), the one whose small-sample errors are in docs/value-engine.md. Its Pareto/NBD counterpart has the
# same spread of rates, and lifetimes about as long (s .6). Reference for budget rounds: the 11,104 donors of Fader, Hardie & Shang
# (2010). Reference for spend: the CDNOW fit (p 6.25, q 3.74).
GEOMETRIC = Shape(weak=(1.0, 0.7, 3.0), reference=(1.2, 0.4, 4.0))  # r, a, b
PARETO = Shape(weak=(1.0, 0.8), reference=(1.2, 0.6))  # r, s
BUDGET_ROUNDS = Shape(weak=(1.0, 1.0, 0.7, 3.0), reference=(1.2035, 0.7497, 0.6567, 2.7834))
SPEND = Shape(weak=(4.0, 2.0), reference=(6.25, 2.74))  # p, q - 1


def small_company_prior(customers: int, shape: Shape, levels: tuple[float, ...], order: tuple[int, ...]) -> Prior | None:
    """The prior that a company with so many customers gets by default; None where it needs none.

    `levels` are the centres of the remaining parameters, matched to the company's own average; `order` places shapes followed by
    levels in the order of the model's parameters.
    """
    if customers >= ENOUGH:
        return None
    is_reference = customers < FEW
    centre = (shape.reference if is_reference else shape.weak) + levels
    sd = (REFERENCE_SD if is_reference else PRIOR_SD,) * len(shape.weak) + (PRIOR_SD,) * len(levels)
    name = "reference population" if is_reference else "weak log-normal"
    return Prior(name, tuple(centre[i] for i in order), tuple(sd[i] for i in order), is_reference)
