"""How good the forecasts were: back-tests over time, against naive guesses."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from segmentation import figures, wording
from segmentation.models import BackTest, ValueRun
from segmentation.views.pages import show
from users.access import Permission, needs
from users.http import SignedInRequest

TESTS_SHOWN = 24
MODEL = "model"
HEAVY = ("run__fits", "run__concentration", "run__warnings", "run__tiers")  # not needed for a list of tests


@require_safe
@needs(Permission.VALUE_STEER)
def track_record(request: SignedInRequest) -> HttpResponse:
    tests = list(
        BackTest.objects.visible_to(request.user).select_related("run").defer(*HEAVY).order_by("-run_id", "-cut_off")[:TESTS_SHOWN]
    )
    asked = request.GET.get("test", "")
    shown = next((one for one in tests if str(one.pk) == asked), tests[0] if tests else None)
    context: dict[str, Any] = {"tests": [(one, _said_best(one)) for one in tests], "shown": shown}
    if shown:
        latest = [one for one in tests if one.run_id == shown.run_id]
        context |= {
            "forecasters": [wording.said(wording.FORECASTERS, name) for name in _forecasters(shown)],
            "measures": _measures(shown),
            "better": [str(wording.MEASURES[name][0]) for name in _beaten(shown)],
            "is_beaten": (used := _used_by_run(shown)) != MODEL,
            "used": wording.said(wording.FORECASTERS, used),
            "best_here": "" if _best(shown) == MODEL else _said_best(shown),
            "calibration": figures.calibration(shown),
            "over_time": figures.track(sorted(latest, key=lambda one: one.cut_off)),
        }
    return show(request, "track_record.html", context)


def _best(test: BackTest) -> str:
    return str(test.verdict.get("use") or test.best)


def _said_best(test: BackTest) -> str:
    return wording.said(wording.FORECASTERS, _best(test))


def _used_by_run(test: BackTest) -> str:
    """The forecaster that the run went by: the one that was best in most of its back-tests."""
    told = ValueRun.objects.filter(pk=test.run_id).values_list("fits__track_record__use", flat=True).first()
    return str(told or _best(test))


def _beaten(test: BackTest) -> list[str]:
    """The measures by which a naive guess was better than the models."""
    better = test.verdict.get("better") or {}
    return [name for name in wording.MEASURES if better.get(name, MODEL) != MODEL]


def _forecasters(test: BackTest) -> list[str]:
    known = [name for name in wording.FORECASTERS if name in test.measures]
    return known + sorted(set(test.measures) - set(known))


def _measures(test: BackTest) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(measure, [(forecaster, its figure, whether it is the best by this measure)])."""
    better = test.verdict.get("better") or {}
    found = []
    for name, (label, _kind) in wording.MEASURES.items():
        cells = [
            (wording.said(wording.FORECASTERS, one), wording.measure(name, test.measures[one].get(name)), better.get(name) == one)
            for one in _forecasters(test)
        ]
        found.append((str(label), cells))
    return found
