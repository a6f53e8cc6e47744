"""How the engine checks itself, and what people think up with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from segmentation.models.run import ValueRun
from users.access import Permission, allowed

if TYPE_CHECKING:
    from users.models import User


class ForSteering(models.QuerySet):  # type: ignore[type-arg]  # shared by two models below
    """Rows about the whole company, for those who steer by its figures."""

    def visible_to(self, user: User) -> Self:
        return self if allowed(user, Permission.VALUE_STEER) else self.none()


class BackTest(models.Model):
    """One look back: what the engine would have said at a cut-off, against what then happened and against naive guesses."""

    run = models.ForeignKey(ValueRun, models.CASCADE, related_name="back_tests", verbose_name=_("run"))
    cut_off = models.DateField(_("cut-off"))
    until = models.DateField(_("until"))
    customers = models.PositiveIntegerField(_("customers"))
    predicted = models.FloatField(_("predicted"))
    actual = models.FloatField(_("actual"))
    measures = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # by forecaster: MAE, RMSE, Spearman, Gini, capture, coverage …
    calibration = models.JSONField(default=list)
    best = models.CharField(_("best"), max_length=20)  # the forecaster that the verdict names
    verdict = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    objects = ForSteering.as_manager()

    class Meta:
        ordering = ("-cut_off", "-pk")
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")
        constraints = [models.UniqueConstraint(fields=["run", "cut_off"], name="back_test_once")]

    def __str__(self) -> str:
        return f"{self.cut_off} – {self.until}"


class Scenario(models.Model):
    """A what-if: retention, margin, serving cost or discount rate changed, and what customer equity would then be. Kept as it was."""

    NOUN = "scenario"

    name = models.CharField(_("name"), max_length=120)
    run = models.ForeignKey(ValueRun, models.PROTECT, related_name="scenarios", verbose_name=_("run"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    created_at = models.DateTimeField(_("saved"), db_default=Now())
    changes = models.JSONField(
        encoder=DjangoJSONEncoder
    )  # {"retention": {"1": 0.02, …}, "margin": 0.0, "serving_cost": -0.1, "discount_rate": 0.12}
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # equity now and then with intervals, per tier
    job = models.ForeignKey("customers.Job", models.SET_NULL, null=True, related_name="+")

    objects = ForSteering.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")

    def __str__(self) -> str:
        return self.name
