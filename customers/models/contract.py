from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.counter import Counter
from customers.models.customer import Customer
from customers.models.facts import Fact, FactQuerySet
from customers.models.product import Product

if TYPE_CHECKING:
    from customers.models.asset import Asset
    from users.models import User


class ServiceGrade(models.IntegerChoices):
    """Service grade (服务等级), 1 to 5: what the customer bought or is granted."""

    PARTNER = 1, _("1 Partner")
    PREMIUM = 2, _("2 Premium")
    STANDARD = 3, _("3 Standard")
    BASIC = 4, _("4 Basic")
    SELF_SERVICE = 5, _("5 Self-service")


class ContractQuerySet(FactQuerySet["Contract"]):
    def running(self, on: date) -> Self:
        return self.filter(starts_on__lte=on, cancelled_on=None).filter(Q(ends_on=None) | Q(ends_on__gte=on))


class Contract(Fact):
    """A recurring agreement: what it brings per period, how long it runs, and the service it promises."""

    class Period(models.TextChoices):
        MONTH = "month", _("month")
        QUARTER = "quarter", _("quarter")
        YEAR = "year", _("year")

    class Renewal(models.TextChoices):
        AUTOMATIC = "automatic", _("Automatic")
        BY_AGREEMENT = "by_agreement", _("By agreement")
        NONE = "none", _("None")

    NOUN = "contract"
    IN_ORDER = (("starts_on", "ends_on"),)
    COUNTER = "contract"

    number = models.CharField(_("contract number"), max_length=60, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="contracts", verbose_name=_("customer"))
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name=_("product"))
    title = models.CharField(_("title"), max_length=160)
    recurring_amount = models.DecimalField(_("amount per period"), validators=[MinValueValidator(0)], max_digits=18, decimal_places=2)
    recurring_cost = models.DecimalField(
        _("cost per period"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2
    )
    period = models.CharField(_("period"), max_length=8, choices=Period, default=Period.YEAR, db_default=Period.YEAR)
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    cancelled_on = models.DateField(_("cancelled on"), null=True, blank=True)
    renewal = models.CharField(_("renewal"), max_length=12, choices=Renewal, default=Renewal.BY_AGREEMENT, db_default=Renewal.BY_AGREEMENT)
    renews = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="renewed_by", verbose_name=_("renewal of"))
    notice_days = models.PositiveSmallIntegerField(_("notice, days"), default=30, db_default=30)
    service_grade = models.PositiveSmallIntegerField(
        _("service grade"),
        choices=ServiceGrade,
        default=ServiceGrade.STANDARD,
        db_default=ServiceGrade.STANDARD,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    assets = models.ManyToManyField("customers.Asset", blank=True, related_name="contracts", verbose_name=_("assets covered"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner"))

    objects = ContractQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        indexes = [
            models.Index(fields=["customer", "-starts_on", "-id"], name="contract_of_customer"),
            models.Index(fields=["ends_on", "id"], name="contract_by_end"),
        ]
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(fields=["number"], name="contract_number_once"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="contract_ends_after_it_starts",
                violation_error_message=_("The contract ends before it starts."),
            ),
            models.CheckConstraint(condition=Q(service_grade__range=(1, 5)), name="contract_grade_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def clean(self) -> None:
        super().clean()
        if self.renews is not None:
            self._refuse_to_renew(self.renews)
        renewal = self.renewed_by.order_by("starts_on").first() if self.pk else None
        if renewal is not None and self.runs_into(renewal):
            raise ValidationError({"ends_on": _("%(contract)s renews this one and starts before that.") % {"contract": renewal.number}})

    def _refuse_to_renew(self, former: Contract) -> None:
        if former.customer_id != self.customer_id:
            raise ValidationError({"renews": _("This belongs to another customer.")})
        if former.runs_into(self):
            raise ValidationError({"starts_on": _("%(contract)s, which this one renews, still runs then.") % {"contract": former.number}})

    @property
    def last_day(self) -> date | None:
        """The last day on which it runs, None where that is open. On the day of its cancellation it does not run any more."""
        if self.cancelled_on is None:
            return self.ends_on
        eve = self.cancelled_on - timedelta(days=1)
        return min(eve, self.ends_on) if self.ends_on else eve

    def runs_into(self, renewal: Contract) -> bool:
        """Whether this contract still runs when the one that renews it begins: the customer would pay for those days twice."""
        return self.last_day is None or self.last_day >= renewal.starts_on

    @transaction.atomic
    def cover(self, assets: list[Asset], *, by: User | None) -> bool:
        """Say which assets the contract covers; whether that is a change."""
        if strangers := [str(asset) for asset in assets if asset.customer_id != self.customer_id]:
            raise ValidationError({"assets": _("Not an asset of this customer: %(names)s.") % {"names": ", ".join(strangers)}})
        before, after = sorted(self.assets.values_list("pk", flat=True)), sorted({asset.pk for asset in assets})
        if before == after:
            return False
        self.assets.set(assets)
        Contract.objects.filter(pk=self.pk).update(version=models.F("version") + 1, updated_at=timezone.now())
        self.record("changed", by=by, changes={"assets": [before, after]})
        return True

    @property
    def is_running(self) -> bool:
        today = timezone.localdate()
        return self.starts_on <= today and self.cancelled_on is None and (self.ends_on is None or self.ends_on >= today)

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and not self.number:
            self.number = contract_number(Counter.take(self.COUNTER))
        super().save(*args, **kwargs)


def contract_number(count: int) -> str:
    return f"K{count:06d}"
