from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.maths.names import search_term, search_text, sort_key
from customers.models.customer import Customer
from customers.models.facts import FactQuerySet, looked_up
from customers.models.golden import GoldenRecord
from users.records import Record

if TYPE_CHECKING:
    from users.models import User


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> Self:
        """People at a customer in reach, and those whom the person entered and who have no place yet."""
        return self.filter(deleted_at=None).within_reach_of(user)

    def within_reach_of(self, user: User) -> Self:
        """As `visible_to`, deleted ones included: for those who bring contacts back."""
        if user.reach.everything:
            return self
        place = Position.objects.filter(contact=OuterRef("pk"))
        return self.filter(looked_up(place.visible_to(user)) | (~looked_up(place) & Q(created_by=user)))

    def discarded(self) -> Self:
        """Deleted contacts, which can be restored; of an erased person there is nothing to restore."""
        return self.filter(deleted_at__isnull=False, erased_at=None)

    def matching(self, words: str) -> Self:
        found = self
        for word in words.split():
            found = found.filter(search_text__contains=search_term(word))
        return found

    def at(self, customer: Customer) -> Self:
        return self.filter(positions__customer=customer)


class Contact(GoldenRecord):
    """A person at one or more customers (联系人)."""

    class Salutation(models.TextChoices):
        MS = "ms", _("Ms")
        MR = "mr", _("Mr")
        DR = "dr", _("Dr")

    NOUN = "contact"
    SOURCE_NOUN = "contact"
    SOURCED = frozenset({"name", "other_name", "salutation", "birthday", "language", "notes"})

    name = models.CharField(_("name"), max_length=120)
    other_name = models.CharField(_("name in the other script"), max_length=120, blank=True, default="", db_default="")
    salutation = models.CharField(_("salutation"), max_length=4, choices=Salutation, blank=True, default="", db_default="")
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="", choices=settings.LANGUAGES)
    notes = models.TextField(_("notes"), max_length=5000, blank=True, default="", db_default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+")

    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+")
    erased_at = models.DateTimeField(null=True, editable=False)
    search_text = models.TextField(editable=False, default="", db_default="")
    sort_key = models.CharField(max_length=120, editable=False, default="", db_default="")

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            models.Index(fields=["sort_key", "id"], name="contact_by_name"),
            models.Index(fields=["-updated_at", "-id"], name="contact_by_change"),
            models.Index(fields=["-deleted_at", "-id"], name="contact_discarded", condition=Q(deleted_at__isnull=False)),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="contact_search", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="contact_has_a_name", violation_error_message=_("A contact needs a name."))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def history_customer_id(self) -> int | None:
        place = self.positions.order_by("-is_primary", "pk").first()
        return place.customer_id if place else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text, self.sort_key = contact_search_columns(names=[self.name, self.other_name])
        super().save(*args, **kwargs)

    def derived_from(self, names: list[str]) -> list[str]:
        return ["search_text", "sort_key"] if {"name", "other_name"} & set(names) else []

    @transaction.atomic
    def discard(self, *, by: User) -> None:
        self._set_deleted(at=timezone.now(), by=by, action="discarded")

    @transaction.atomic
    def restore(self, *, by: User) -> None:
        self._set_deleted(at=None, by=by, action="restored")

    def _set_deleted(self, *, at: Any, by: User, action: str) -> None:
        locked = Contact.objects.select_for_update().get(pk=self.pk)
        if locked.is_deleted == (at is not None):
            return
        self.deleted_at, self.deleted_by, self.version = at, by if at else None, locked.version + 1
        self.updated_at = timezone.now()
        self.save(update_fields=["deleted_at", "deleted_by", "version", "updated_at"])
        self.record(action, by=by)


class PositionQuerySet(FactQuerySet["Position"]):
    def current(self) -> Self:
        return self.filter(until=None)


class Position(Record):
    """A contact's place at one customer: what the person does there, and how much that weighs."""

    class Role(models.TextChoices):
        DECISION_MAKER = "decision_maker", _("Decision maker")
        INFLUENCER = "influencer", _("Influencer")
        USER = "user", _("User")
        FINANCE = "finance", _("Finance")
        TECHNICAL = "technical", _("Technical")

    class Influence(models.IntegerChoices):
        LOW = 1, _("Low")
        MEDIUM = 2, _("Medium")
        HIGH = 3, _("High")

    NOUN = "position"
    IN_ORDER = (("since", "until"),)

    contact = models.ForeignKey(Contact, models.CASCADE, db_index=False, related_name="positions", verbose_name=_("contact"))
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="positions", verbose_name=_("customer"))
    job_title = models.CharField(_("job title"), max_length=120, blank=True, default="", db_default="")
    department = models.CharField(_("department"), max_length=120, blank=True, default="", db_default="")
    role = models.CharField(_("role"), max_length=15, choices=Role, blank=True, default="", db_default="")
    influence = models.PositiveSmallIntegerField(_("influence"), choices=Influence, null=True, blank=True)
    reports_to = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="reports", verbose_name=_("reports to"))
    is_primary = models.BooleanField(_("main contact"), default=False, db_default=False)
    since = models.DateField(_("since"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "customer"], name="position_once", violation_error_message=_("This contact is already at this customer.")
            ),
            models.CheckConstraint(
                condition=Q(reports_to=None) | ~Q(reports_to=models.F("contact")),
                name="position_not_own_superior",
                violation_error_message=_("A contact cannot report to themselves."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(since=None) | Q(until__gte=models.F("since")),
                name="position_ends_after_it_begins",
                violation_error_message=_("The end lies before the beginning."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id}@{self.customer_id}"

    def clean(self) -> None:
        super().clean()
        if self.reports_to_id and not Position.objects.filter(contact=self.reports_to_id, customer=self.customer_id).exists():
            raise ValidationError({"reports_to": _("The superior must be a contact at the same customer.")})
        if self.reports_to_id and self.contact_id in self._chain_above(self.reports_to_id):
            raise ValidationError({"reports_to": _("This would make the person their own superior.")})

    def _chain_above(self, contact_id: int) -> set[int]:
        """The person and all above them at this customer."""
        above = dict(Position.objects.filter(customer=self.customer_id).exclude(pk=self.pk).values_list("contact_id", "reports_to_id"))
        chain: set[int] = set()
        step: int | None = contact_id
        while step is not None and step not in chain:
            chain.add(step)
            step = above.get(step)
        return chain


def contact_search_columns(*, names: list[str]) -> tuple[str, str]:
    """The (search_text, sort_key) columns of a contact; bulk writers call it too."""
    return search_text(*names), sort_key(names[0])[:120]
