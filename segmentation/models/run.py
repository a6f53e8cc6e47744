from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from segmentation.models.rule_version import RuleVersion
from users.access import Permission, allowed

if TYPE_CHECKING:
    from users.models import User


class ValueRunQuerySet(models.QuerySet["ValueRun"]):
    def visible_to(self, user: User) -> Self:
        """Runs tell the whole company's figures, so they are for those who steer by them."""
        return self if allowed(user, Permission.VALUE_STEER) else self.none()

    def published(self) -> Self:
        return self.filter(state=ValueRun.State.PUBLISHED)

    def full(self) -> Self:
        return self.filter(kind=ValueRun.Kind.FULL)


class ValueRun(models.Model):
    """One valuation of the company: aggregate → fit → predict → tier → publish, as of one day.

    While it runs nothing that others read changes; `publish` writes scores, ledger and this row's figures in one
    transaction. So a worker killed at any point leaves either the old result or the new one whole.
    """

    class Kind(models.TextChoices):
        FULL = "full", _("All customers")
        CHANGED = "changed", _("Changed customers")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        PUBLISHED = "published", _("Published")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Stage(models.TextChoices):
        AGGREGATE = "aggregate", _("Adding up the facts")
        FIT = "fit", _("Fitting the models")
        PREDICT = "predict", _("Predicting")
        TIER = "tier", _("Deciding on tiers")
        PUBLISH = "publish", _("Publishing")

    NOUN = "value_run"

    as_of = models.DateField(_("as of"))
    kind = models.CharField(_("extent"), max_length=8, choices=Kind, default=Kind.FULL)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING, db_default=State.RUNNING)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.AGGREGATE, db_default=Stage.AGGREGATE)
    rules = models.ForeignKey(RuleVersion, models.PROTECT, related_name="runs", verbose_name=_("rules"))
    job = models.ForeignKey("customers.Job", models.SET_NULL, null=True, related_name="value_runs", verbose_name=_("job"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by"))
    started_at = models.DateTimeField(_("started"), db_default=Now())
    published_at = models.DateTimeField(_("published"), null=True)
    error = models.TextField(default="", db_default="")

    customers = models.PositiveIntegerField(_("customers"), default=0, db_default=0)
    equity = models.FloatField(_("customer equity"), null=True)
    equity_interval = models.JSONField(default=dict, db_default={})  # {"80": [low, high], "95": [low, high], "method": "…"}
    future_equity = models.FloatField(_("expected value of future customers"), null=True)
    tiers = models.JSONField(default=dict, db_default={})  # {"1": {"customers": n, "clv": …, "margin": …}, …}
    boundaries = models.JSONField(default=dict, db_default={})  # value at the edges of Platinum, core, and Lead
    # Each model that was tried with parameters, log-likelihood, standard errors, whether it converged, and which one was chosen and why.
    fits = models.JSONField(default=dict, db_default={}, encoder=DjangoJSONEncoder)
    concentration = models.JSONField(default=dict, db_default={})  # Lorenz and whale curves, Gini, HHI, shares
    warnings = models.JSONField(default=list, db_default=[])  # what a reader must know, as codes with figures
    seconds = models.JSONField(default=dict, db_default={})  # per stage
    is_indicative = models.BooleanField(_("indicative"), default=False, db_default=False)

    objects = ValueRunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("value run")
        verbose_name_plural = _("value runs")
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(state="running"), name="one_value_run_at_a_time"),
        ]
        indexes = [models.Index(fields=["kind", "-as_of", "-id"], name="value_run_published", condition=Q(state="published"))]

    def __str__(self) -> str:
        return f"{self.as_of} #{self.pk}"

    @classmethod
    def current(cls) -> ValueRun | None:
        """The full run whose models and boundaries stand behind the scores of today."""
        return cls.objects.published().full().order_by("-pk").first()


class RunShard(models.Model):
    """A range of customers of one run, as packed arrays (`segmentation.engine.packing`): the unit of work of a worker.

    During the run it holds what one stage hands to the next; afterwards only the snapshot by which a run can be compared
    with another and replayed with other rules: customer, value, tier, CLV, margin, trust.
    """

    run = models.ForeignKey(ValueRun, models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    first_customer = models.BigIntegerField()
    last_customer = models.BigIntegerField()
    done = models.CharField(max_length=10, choices=ValueRun.Stage, default="", db_default="")  # the last stage that is done with it
    arrays = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("part of a value run")
        verbose_name_plural = _("parts of a value run")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_shard_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"
