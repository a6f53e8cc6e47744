from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.maths.credit_code import is_credit_code
from customers.maths.names import match_key, search_term, search_text, sort_key
from customers.models.counter import Counter
from customers.models.golden import GoldenRecord
from users.access import within_reach
from users.models import Team

if TYPE_CHECKING:
    from users.models import User

TREE_LOCK = 0x74726565  # one re-parenting at a time, or two of them could close a circle together
# Never null, so that a list can be paged by it: customers of unknown revenue come below those with none.
REVENUE_RANK = Coalesce("annual_revenue", models.Value(-1), output_field=models.DecimalField(max_digits=18, decimal_places=2))
NAMES = ("legal_name", "short_name", "other_legal_name", "other_short_name")


def validate_credit_code(value: str) -> None:
    if not is_credit_code(value):
        raise ValidationError(_("%(value)s is not a unified social credit code: its check digit is wrong."), params={"value": value})


class Channel(models.TextChoices):
    PHONE = "phone", _("Phone")
    VISIT = "visit", _("Visit")
    MAIL = "mail", _("Mail")
    WEB = "web", _("Web")
    PORTAL = "portal", _("Portal")
    WECHAT = "wechat", _("WeChat")
    EVENT = "event", _("Event")


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, user: User) -> Self:
        """Customers in the person's reach that are not deleted."""
        return self.kept().within_reach_of(user)

    def within_reach_of(self, user: User) -> Self:
        """As `visible_to`, deleted ones included: for those who bring customers back."""
        return self.filter(within_reach(user))

    def kept(self) -> Self:
        return self.filter(deleted_at=None)

    def discarded(self) -> Self:
        """Deleted customers, which can be restored."""
        return self.filter(deleted_at__isnull=False)

    def matching(self, words: str) -> Self:
        """Customers whose names (characters, pinyin or initials), number or credit code contain every word."""
        found = self
        for word in words.split():
            found = found.filter(search_text__contains=search_term(word))
        return found

    def with_revenue_rank(self) -> Self:
        return self.annotate(revenue_rank=REVENUE_RANK)

    def below(self, customer: Customer) -> Self:
        """All customers under this one in the tree, not including it."""
        return self.filter(pk__in=[pk for pk in customer.tree_ids() if pk != customer.pk])

    def by_name(self) -> Self:
        return self.order_by("sort_key", "pk")


class Customer(GoldenRecord):
    """An organisation we sell to or want to: one golden record, one customer number (客户).

    The values are what survives from its source records; `provenance` says for each field which record it came from.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        PROSPECT = "prospect", _("Prospect")
        PARTNER = "partner", _("Partner")
        SUPPLIER = "supplier", _("Supplier")
        COMPETITOR = "competitor", _("Competitor")

    class Status(models.TextChoices):
        PROSPECT = "prospect", _("Prospect")
        ACTIVE = "active", _("Active")
        DORMANT = "dormant", _("Dormant")
        LOST = "lost", _("Lost")
        WON_BACK = "won_back", _("Won back")

    class PaymentMethod(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        CARD = "card", _("Card")
        DIRECT_DEBIT = "direct_debit", _("Direct debit")
        CHEQUE = "cheque", _("Cheque")
        ACCEPTANCE_BILL = "acceptance_bill", _("Bank acceptance bill")

    NOUN = "customer"
    COUNTER = "customer"
    SOURCE_NOUN = "customer"
    SOURCED = frozenset(
        {
            *NAMES,
            "credit_code",
            "kind",
            "status",
            "industry",
            "employees",
            "annual_revenue",
            "founded_year",
            "region",
            "country",
            "website",
            "parent",
            "acquisition_source",
            "referred_by",
            "acquired_on",
            "acquisition_cost",
            "preferred_channels",
            "payment_terms_days",
            "payment_preference",
            "currency",
            "tags",
            "custom",
        }
    )

    number = models.CharField(_("customer number"), max_length=20, editable=False)
    legal_name = models.CharField(_("legal name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=100, blank=True, default="", db_default="")
    other_legal_name = models.CharField(_("legal name in the other script"), max_length=200, blank=True, default="", db_default="")
    other_short_name = models.CharField(_("short name in the other script"), max_length=100, blank=True, default="", db_default="")
    name = models.GeneratedField(
        expression=Coalesce(NullIf("short_name", models.Value("")), "legal_name"),
        output_field=models.CharField(max_length=200),
        db_persist=True,
        verbose_name=_("name"),
    )
    credit_code = models.CharField(
        _("unified social credit code"), max_length=18, blank=True, default="", db_default="", validators=[validate_credit_code]
    )

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.CUSTOMER, db_default=Kind.CUSTOMER)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PROSPECT, db_default=Status.PROSPECT)
    industry = models.CharField(_("industry"), max_length=80, blank=True, default="", db_default="")
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    annual_revenue = models.DecimalField(
        _("annual revenue"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2
    )
    founded_year = models.PositiveSmallIntegerField(_("founded in"), null=True, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True, default="", db_default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="", db_default="", help_text=_("Two letters, such as CN."))
    website = models.URLField(_("website"), max_length=200, blank=True, default="", db_default="")

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, db_index=False, related_name="subsidiaries", verbose_name=_("parent company")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False, related_name="customers", verbose_name=_("owner")
    )
    team = models.ForeignKey(Team, models.PROTECT, db_index=False, related_name="customers", verbose_name=_("team"))

    acquisition_source = models.CharField(_("acquired through"), max_length=80, blank=True, default="", db_default="")
    referred_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="referrals",
        verbose_name=_("referred by"),
        help_text=_("The customer who brought this one."),
    )
    acquired_on = models.DateField(_("acquired on"), null=True, blank=True)
    acquisition_cost = models.DecimalField(
        _("acquisition cost"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2
    )
    preferred_channels = ArrayField(
        models.CharField(max_length=10, choices=Channel), default=list, db_default=[], blank=True, verbose_name=_("preferred channels")
    )
    payment_terms_days = models.PositiveSmallIntegerField(_("payment terms, days"), null=True, blank=True)
    payment_preference = models.CharField(_("pays by"), max_length=20, choices=PaymentMethod, blank=True, default="", db_default="")
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)
    tags = ArrayField(models.CharField(max_length=40), default=list, db_default=[], blank=True, verbose_name=_("tags"))
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)

    merged_into = models.ForeignKey("self", models.PROTECT, null=True, editable=False, db_index=False, related_name="merged_from")
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+")
    search_text = models.TextField(editable=False, default="", db_default="")
    sort_key = models.CharField(max_length=200, editable=False, default="", db_default="")
    # The name without case, spaces and punctuation, by which a foreign file's spelling finds the customer.
    match_key = models.CharField(max_length=200, editable=False, default="", db_default="")

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            # One per order of the list; the pk makes each order total, as keyset pages need.
            models.Index(fields=["sort_key", "id"], name="customer_by_name"),
            models.Index(fields=["-updated_at", "-id"], name="customer_by_change"),
            models.Index(fields=["match_key"], name="customer_by_match_key"),
            models.Index(fields=["team", "sort_key", "id"], name="customer_of_team"),
            models.Index(fields=["owner", "sort_key", "id"], name="customer_of_owner"),
            models.Index(fields=["status", "sort_key", "id"], name="customer_of_status"),
            models.Index(fields=["industry", "sort_key", "id"], name="customer_of_industry"),
            models.Index(fields=["kind", "sort_key", "id"], name="customer_of_kind"),
            models.Index(fields=["region", "sort_key", "id"], name="customer_of_region"),
            models.Index(fields=["country", "sort_key", "id"], name="customer_of_country"),
            models.Index(REVENUE_RANK.desc(), models.F("id").desc(), name="customer_by_revenue"),
            GinIndex(OpClass("custom", name="jsonb_path_ops"), name="customer_custom", fastupdate=False),
            models.Index(fields=["-deleted_at", "-id"], name="customer_discarded", condition=Q(deleted_at__isnull=False)),
            models.Index(fields=["parent"], name="customer_of_parent", condition=Q(parent__isnull=False)),
            models.Index(fields=["referred_by"], name="customer_of_referrer", condition=Q(referred_by__isnull=False)),
            models.Index(fields=["merged_into"], name="customer_merged", condition=Q(merged_into__isnull=False)),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="customer_search", fastupdate=False),
            GinIndex(fields=["tags"], name="customer_tags", fastupdate=False),
            models.Index(fields=["credit_code"], name="customer_credit_code", condition=~Q(credit_code="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(referred_by=None) | ~Q(referred_by=models.F("id")),
                name="nobody_refers_themselves",
                violation_error_message=_("A customer cannot refer itself."),
            ),
            models.UniqueConstraint(fields=["number"], name="customer_number_once"),
            models.CheckConstraint(
                condition=~Q(legal_name=""), name="customer_has_a_name", violation_error_message=_("A customer needs a name.")
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=models.F("id")),
                name="customer_not_its_own_parent",
                violation_error_message=_("A customer cannot be its own parent."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.short_name or self.legal_name}"

    @property
    def history_customer_id(self) -> int | None:
        return self.pk

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    def clean(self) -> None:
        """Rules that look beyond one field; the fields' own validators have run in the form or serializer."""
        super().clean()
        if self.parent_id is not None:
            self._refuse_a_circle()
        if self.referred_by_id is not None and self.referred_by_id == self.pk:
            raise ValidationError({"referred_by": _("A customer cannot refer itself.")})

    @transaction.atomic(savepoint=False)  # what fails here is the database's refusal, after which nothing could go on anyway
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Give a new customer its number, and keep the search columns in step with the names."""
        if self._state.adding and not self.number:
            self.number = customer_number(Counter.take(self.COUNTER))
        self.search_text, self.sort_key, self.match_key = search_columns(
            number=self.number, credit_code=self.credit_code, names=[getattr(self, name) for name in NAMES]
        )
        super().save(*args, **kwargs)

    def derived_from(self, names: list[str]) -> list[str]:
        return ["search_text", "sort_key", "match_key"] if {*NAMES, "credit_code"} & set(names) else []

    @transaction.atomic
    def discard(self, *, by: User) -> None:
        """Take the customer out of every list; nothing is lost, `restore` brings it back."""
        self._set_deleted(at=timezone.now(), by=by, action="discarded")

    @transaction.atomic
    def restore(self, *, by: User) -> None:
        self._set_deleted(at=None, by=by, action="restored")

    def tree_ids(self) -> list[int]:
        """Ids of this customer and of all below it, in one recursive query."""
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE tree AS (SELECT %s::bigint AS id UNION SELECT child.id FROM customers_customer child"
                " JOIN tree ON child.parent_id = tree.id WHERE child.deleted_at IS NULL) SELECT id FROM tree",
                [self.pk],
            )
            return [row[0] for row in cursor.fetchall()]

    def _set_deleted(self, *, at: Any, by: User, action: str) -> None:
        locked = Customer.objects.select_for_update().get(pk=self.pk)
        if locked.is_deleted == (at is not None):
            return
        self.deleted_at, self.deleted_by, self.version = at, by if at else None, locked.version + 1
        self.updated_at = timezone.now()
        self.save(update_fields=["deleted_at", "deleted_by", "version", "updated_at"])
        self.record(action, by=by)

    def _refuse_a_circle(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TREE_LOCK])
            cursor.execute(
                "WITH RECURSIVE line AS (SELECT %s::bigint AS id UNION SELECT customer.parent_id FROM customers_customer customer"
                " JOIN line ON customer.id = line.id WHERE customer.parent_id IS NOT NULL) SELECT 1 FROM line WHERE id = %s",
                [self.parent_id, self.pk],
            )
            if cursor.fetchone():
                raise ValidationError({"parent": _("This customer would become its own parent company.")})


def customer_number(count: int) -> str:
    """C000042: rising, readable, and sorted as text up to a million customers."""
    return f"C{count:06d}"


def is_customer_number(text: str) -> bool:
    return re.fullmatch(r"C\d{6,}", text) is not None


def search_columns(*, number: str, credit_code: str, names: list[str]) -> tuple[str, str, str]:
    """The (search_text, sort_key, match_key) columns of a customer. Bulk writers call it too, so that there is one rule."""
    legal, short = names[0], names[1]
    return search_text(number, credit_code, *names), sort_key(short or legal)[:200], match_key(legal)[:200]
