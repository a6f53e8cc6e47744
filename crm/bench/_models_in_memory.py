"""The ways of `bin/bench value fit`, `score` and `bootstrap`: customers in memory to parameters, or to what they will bring.

`_answer.py` runs them, lifetimes in an environment without the product's packages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Figures: TypeAlias = dict[str, float]
Load: TypeAlias = Callable[[str], dict[str, NDArray[Any]]]
Way: TypeAlias = Callable[[Load], Callable[[], Figures]]

MONTHS, RATE = 12, 0.008  # a month
WEEKS_A_MONTH = 4.345  # as lifetimes has it
MODEL = {"r": 1.5, "alpha": 9.3, "a": 0.7, "b": 8.0}  # about what the customers were made with, in weeks
SPEND = {"p": 4.0, "q": 3.0, "v": 6000.0}
RESAMPLES = 200
HORIZON = 36  # months, as the usual rules have it


def ours(model: str) -> Way:
    def prepare(load: Load) -> Callable[[], Figures]:
        from segmentation.maths.order_models import fit_by_size

        purchases = _purchases(load)
        return lambda: fit_by_size(model, purchases).params

    return prepare


def reference(fitter: str) -> Way:
    def prepare(load: Load) -> Callable[[], Figures]:
        import lifetimes  # type: ignore[import-not-found,unused-ignore]  # in the references' environment only

        people = load("people")

        def work() -> Figures:
            fitted = getattr(lifetimes, fitter)(penalizer_coef=0.0).fit(people["frequency"], people["recency"], people["age"])
            return {name: float(value) for name, value in fitted.params_.items()}

        return work

    return prepare


def our_scores(load: Load) -> Callable[[], Figures]:
    """P(alive), orders of the next months, and their discounted spend, of each customer; told as means."""
    from segmentation.maths.bg_nbd import BgNbd
    from segmentation.maths.gamma_gamma import GammaGamma

    purchases, spend = _purchases(load), load("people")["spend"]
    model, gamma = BgNbd(MODEL["r"], MODEL["alpha"] / WEEKS_A_MONTH, MODEL["a"], MODEL["b"]), GammaGamma(**SPEND)
    purchases = type(purchases)(purchases.frequency, purchases.recency / WEEKS_A_MONTH, purchases.age / WEEKS_A_MONTH, 7 * WEEKS_A_MONTH)

    def work() -> Figures:
        alive, orders = model.probability_alive(purchases), model.expected_purchases(MONTHS, purchases)
        worth = model.discounted_purchases(purchases, MONTHS, RATE) * gamma.expected_spend(purchases.frequency, spend)
        # lifetimes discounts a month's orders from its end, we from its middle.
        return _told(alive, orders, worth / (1 + RATE) ** 0.5)

    return work


def reference_scores(load: Load) -> Callable[[], Figures]:
    import lifetimes  # type: ignore[import-not-found,unused-ignore]
    import pandas as pd

    people = {name: pd.Series(column) for name, column in load("people").items()}
    x, recency, age = people["frequency"], people["recency"], people["age"]
    model, gamma = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    model.params_, gamma.params_ = pd.Series(MODEL), pd.Series(SPEND)
    model.predict = model.conditional_expected_number_of_purchases_up_to_time

    def work() -> Figures:
        alive = model.conditional_probability_alive(x, recency, age)
        orders = model.predict(MONTHS * WEEKS_A_MONTH, x, recency, age)
        worth = gamma.customer_lifetime_value(model, x, recency, age, people["spend"], time=MONTHS, discount_rate=RATE, freq="W")
        return _told(np.asarray(alive), np.asarray(orders), np.asarray(worth))

    return work


def whole(load: Load) -> Callable[[], Figures]:
    """What `rescore` does, as far as pandas and lifetimes do it: from lines in memory to a tier for each customer, nothing written."""
    import lifetimes  # type: ignore[import-not-found,unused-ignore]
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data  # type: ignore[import-not-found,unused-ignore]

    lines = pd.DataFrame(load("orders"), copy=False)
    lines["day"] = lines["day"].to_numpy().astype("datetime64[D]")
    end = lines["day"].max()

    def work() -> Figures:
        lines["margin"] = lines["amount"] - lines["cost"]
        people = summary_data_from_transaction_data(lines, "customer", "day", "margin", observation_period_end=end, freq="D")
        x, recency, age, spend = people["frequency"], people["recency"] / 7, people["T"] / 7, people["monetary_value"]
        model = lifetimes.ModifiedBetaGeoFitter().fit(x, recency, age)
        spent = spend > 0
        gamma = lifetimes.GammaGammaFitter().fit(x[spent], spend[spent])
        people["alive"] = model.conditional_probability_alive(x, recency, age)
        people["orders"] = model.predict(MONTHS * WEEKS_A_MONTH, x, recency, age)
        people["worth"] = gamma.customer_lifetime_value(model, x, recency, age, spend, time=HORIZON, discount_rate=RATE, freq="W")
        ranked = people["worth"].sort_values(ascending=False)
        share = ranked.cumsum() / ranked.sum()
        tiers = pd.cut(share, [0, 0.5, 0.8, 2], labels=[1, 2, 3]).value_counts()
        return {**_told(*(people[name].to_numpy() for name in ("alive", "orders", "worth"))), "platinum": float(tiers[1])}

    return work


def refits(load: Load) -> Callable[[], Figures]:
    """Bootstrap over customers; the first fit is no part of it."""
    from segmentation.maths.bootstrap import bootstrap
    from segmentation.maths.order_models import fit_by_size

    purchases = _purchases(load)
    fit = fit_by_size("mbgnbd", purchases)

    def work() -> Figures:
        found = bootstrap(purchases, fit, replicates=RESAMPLES)
        spread = found.params.std(axis=0)
        return {f"spread of {name}": float(one) for name, one in zip(found.names, spread, strict=True)} | {
            "anew": float(found.searched_anew)
        }

    return work


def _told(alive: NDArray[Any], orders: NDArray[Any], worth: NDArray[Any]) -> Figures:
    return {"alive": float(alive.mean()), "orders": float(orders.mean()), "worth": float(worth.mean()), "most": float(worth.max())}


def _purchases(load: Load) -> Any:
    from segmentation.maths.purchases import Purchases

    people = load("people")
    return Purchases(people["frequency"], people["recency"], people["age"])


WAYS: dict[str, Way] = {
    "ours-bgnbd": ours("bgnbd"),
    "ours-mbgnbd": ours("mbgnbd"),
    "ours-pareto_nbd": ours("pareto_nbd"),
    "lifetimes-bgnbd": reference("BetaGeoFitter"),
    "lifetimes-mbgnbd": reference("ModifiedBetaGeoFitter"),
    "lifetimes-pareto_nbd": reference("ParetoNBDFitter"),
    "ours-scores": our_scores,
    "lifetimes-scores": reference_scores,
    "lifetimes-whole": whole,
    "refits": refits,
}
