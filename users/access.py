"""Who may see and do what: the one home of every access rule.

Two questions, answered apart. *Which rows* does a person see? That is a `Reach` (own, team, subtree, all), turned into a
filter by `within_reach` and used by every noun's `visible_to`. *Which acts* may a person do? That is a set of `Permission`s
by role. An API token narrows both questions to its scopes and never widens them. Rules in words: docs/access.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.db.models import Q, TextChoices
from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from users.http import SignedInRequest
    from users.models import User

P = ParamSpec("P")


class Role(TextChoices):
    ACCOUNT_MANAGER = "account_manager", _("Account manager")
    SERVICE_AGENT = "service_agent", _("Service agent")
    SERVICE_MANAGER = "service_manager", _("Service manager")
    EXECUTIVE = "executive", _("Executive")
    INTEGRATOR = "integrator", _("Integrator")
    ADMINISTRATOR = "administrator", _("Administrator")


class DataScope(TextChoices):
    OWN = "own", _("Own customers")
    TEAM = "team", _("Own team")
    SUBTREE = "subtree", _("Own team and those below")
    ALL = "all", _("Whole company")


class Permission(StrEnum):
    """One act each, named noun.act, in alphabetical order."""

    AUDIT_VIEW = "audit.view"
    CONTACT_CHANGE = "contact.change"
    CONTACT_POINT_ADD = "contact_point.add"
    CUSTOMER_ASSIGN = "customer.assign"
    CUSTOMER_CHANGE = "customer.change"
    CUSTOMER_DELETE = "customer.delete"
    CUSTOMER_EXPORT = "customer.export"
    CUSTOMER_VIEW = "customer.view"
    FIELD_MANAGE = "field.manage"
    IMPORT_RUN = "import.run"
    JOB_VIEW_ALL = "job.view_all"
    PERSON_ERASE = "person.erase"
    RULES_CHANGE = "rules.change"
    SALES_CHANGE = "sales.change"
    SEGMENT_CHANGE = "segment.change"
    TIER_APPROVE = "tier.approve"
    TIER_OVERRIDE = "tier.override"
    TOKEN_OWN = "token.own"  # noqa: S105 (a permission's name)
    USER_MANAGE = "user.manage"
    VALUE_RUN = "value.run"
    VALUE_STEER = "value.steer"

    @property
    def label(self) -> str:
        return str(_PERMISSION_LABELS[self])


_PERMISSION_LABELS = {
    Permission.AUDIT_VIEW: _("Read and export the audit"),
    Permission.CONTACT_CHANGE: _("Add, change, delete and restore contacts"),
    Permission.CONTACT_POINT_ADD: _("Log contact points"),
    Permission.CUSTOMER_ASSIGN: _("Give customers to another owner or team"),
    Permission.CUSTOMER_CHANGE: _("Add and change customers"),
    Permission.CUSTOMER_DELETE: _("Delete and restore customers"),
    Permission.CUSTOMER_EXPORT: _("Export customers"),
    Permission.CUSTOMER_VIEW: _("See customers"),
    Permission.FIELD_MANAGE: _("Define custom fields"),
    Permission.IMPORT_RUN: _("Import files"),
    Permission.JOB_VIEW_ALL: _("See everybody’s jobs"),
    Permission.PERSON_ERASE: _("Export and erase a person’s data"),
    Permission.RULES_CHANGE: _("Change the rules of value and tiers"),
    Permission.SALES_CHANGE: _("Change products, orders, contracts, assets and invoices"),
    Permission.SEGMENT_CHANGE: _("Add and change segments"),
    Permission.TIER_APPROVE: _("Approve downgrades out of Platinum"),
    Permission.TIER_OVERRIDE: _("Set a customer’s tier against the rules"),
    Permission.TOKEN_OWN: _("Have API tokens"),
    Permission.USER_MANAGE: _("Manage users, teams and their access"),
    Permission.VALUE_RUN: _("Start the valuation of customers"),
    Permission.VALUE_STEER: _("See the company’s customer equity, back-tests and what-if"),
}


_EVERYONE = frozenset({Permission.CUSTOMER_VIEW, Permission.CONTACT_POINT_ADD})
_CARE = _EVERYONE | {Permission.CONTACT_CHANGE, Permission.CUSTOMER_CHANGE}
_STEERING = frozenset({Permission.VALUE_STEER, Permission.VALUE_RUN, Permission.SEGMENT_CHANGE})

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.ACCOUNT_MANAGER: _CARE | {Permission.SALES_CHANGE, Permission.CUSTOMER_EXPORT, Permission.IMPORT_RUN, Permission.SEGMENT_CHANGE},
    Role.SERVICE_AGENT: _EVERYONE | {Permission.CONTACT_CHANGE},
    Role.SERVICE_MANAGER: _CARE
    | {Permission.CUSTOMER_ASSIGN, Permission.CUSTOMER_EXPORT, Permission.SEGMENT_CHANGE, Permission.TIER_OVERRIDE},
    Role.EXECUTIVE: _STEERING | {Permission.CUSTOMER_VIEW, Permission.CUSTOMER_EXPORT, Permission.TIER_APPROVE, Permission.TIER_OVERRIDE},
    Role.INTEGRATOR: _CARE
    | _STEERING
    | {
        Permission.CUSTOMER_ASSIGN,
        Permission.CUSTOMER_EXPORT,
        Permission.IMPORT_RUN,
        Permission.SALES_CHANGE,
        Permission.TOKEN_OWN,
    },
    Role.ADMINISTRATOR: frozenset(Permission),
}

DEFAULT_SCOPE: dict[str, DataScope] = {
    Role.ACCOUNT_MANAGER: DataScope.TEAM,
    Role.SERVICE_AGENT: DataScope.SUBTREE,
    Role.SERVICE_MANAGER: DataScope.SUBTREE,
    Role.EXECUTIVE: DataScope.SUBTREE,
    Role.INTEGRATOR: DataScope.SUBTREE,
    Role.ADMINISTRATOR: DataScope.ALL,
}


class Scope(TextChoices):
    """What an API token may touch: an area of the API, to read or to write."""

    CUSTOMERS_READ = "customers:read", _("Read customers and contacts")
    CUSTOMERS_WRITE = "customers:write", _("Write customers and contacts")
    SALES_READ = "sales:read", _("Read products, orders, contracts, assets and invoices")
    SALES_WRITE = "sales:write", _("Write products, orders, contracts, assets and invoices")
    CONTACT_POINTS_READ = "contact_points:read", _("Read contact points")
    CONTACT_POINTS_WRITE = "contact_points:write", _("Log contact points")
    IMPORTS_READ = "imports:read", _("Read imports and jobs")
    IMPORTS_WRITE = "imports:write", _("Run imports")
    USERS_READ = "users:read", _("Read users and teams")
    USERS_WRITE = "users:write", _("Manage users and teams")
    VALUE_READ = "value:read", _("Read tiers, values and segments")
    VALUE_WRITE = "value:write", _("Run valuations, change segments and tiers")
    AUDIT_READ = "audit:read", _("Read the audit")


@dataclass(frozen=True)
class Reach:
    """The rows a person sees: everything, or the rows of some teams and those the person owns."""

    everything: bool
    team_ids: tuple[int, ...]
    user_id: int | None

    @classmethod
    def nothing(cls) -> Reach:
        return cls(everything=False, team_ids=(), user_id=None)


def allowed(user: Any, permission: Permission) -> bool:
    """Whether the person may do this act at all; which rows it may be done to is `visible_to`'s question."""
    return bool(user.is_authenticated and user.is_active and permission in ROLE_PERMISSIONS.get(user.role, ()))


def within_reach(user: User, *, team: str = "team", owner: str = "owner") -> Q:
    """The filter that keeps the rows in the person's reach; `team` and `owner` are the paths to those two columns."""
    reach = user.reach
    if reach.everything:
        return Q()
    if reach.user_id is None:
        return Q(pk__in=())
    return Q(**{f"{owner}_id": reach.user_id}) | Q(**{f"{team}_id__in": reach.team_ids})


def needs(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[SignedInRequest, P], HttpResponseBase]],
    Callable[Concatenate[SignedInRequest, P], HttpResponseBase],
]:
    """Refuse a view with 403 to people whose role lacks the permission."""

    def guard(
        view: Callable[Concatenate[SignedInRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[SignedInRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not allowed(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard
