"""What the frame of every page needs. Lazy and without a query: a page that shows no frame pays nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from users.access import Permission, allowed


@dataclass(frozen=True)
class Destination:
    """A place of the navigation. `shortcut` is the letter after g."""

    label: Promise
    icon: str
    to: str  # name of the URL
    needs: Permission | None = None
    shortcut: str = ""
    on_phone: bool = False  # one of the few in the bar at the bottom


# In the order of the sidebar. A page that belongs here adds its line.
WORK = (
    Destination(_("Home"), "house", "home", shortcut="h", on_phone=True),
    Destination(_("Customers"), "buildings", "customers:list", Permission.CUSTOMER_VIEW, shortcut="c", on_phone=True),
    Destination(pgettext_lazy("worth", "Value"), "pie-chart", "segmentation:value", Permission.CUSTOMER_VIEW, shortcut="v"),
    Destination(_("Segments"), "funnel", "segmentation:segments", Permission.CUSTOMER_VIEW, shortcut="s"),
    Destination(_("To do"), "clipboard-check", "customers:to-do", Permission.CUSTOMER_VIEW, shortcut="t", on_phone=True),
    Destination(_("Imports"), "cloud-upload", "customers:imports", Permission.IMPORT_RUN, shortcut="i"),
    Destination(_("Jobs"), "list-check", "customers:jobs", shortcut="j", on_phone=True),
)
ADMINISTRATION = (
    Destination(_("Users"), "people", "users:list", Permission.USER_MANAGE, shortcut="u"),
    Destination(_("Teams"), "diagram-3", "users:teams", Permission.USER_MANAGE, shortcut="e"),
    Destination(_("Audit"), "journal-text", "users:audit", Permission.AUDIT_VIEW, shortcut="a"),
    Destination(_("Custom fields"), "sliders", "customers:custom-fields", Permission.FIELD_MANAGE),
    Destination(_("Style guide"), "palette", "style-guide", Permission.USER_MANAGE),
)
MODULES = tuple(
    f"js/{name}.js" for name in ("dialog", "confirm", "toasts", "errors", "autosubmit", "shortcuts", "list_keys", "dirty", "copy", "lookup")
)  # one small behaviour each, on every page
SETTINGS = (
    Destination(_("Profile"), "person", "users:profile"),
    Destination(_("Password"), "key", "account_change_password"),
    Destination(_("Two-step sign-in"), "shield-lock", "mfa_index"),
    Destination(_("Sessions"), "laptop", "usersessions_list"),
    Destination(_("API tokens"), "code-slash", "users:tokens", Permission.TOKEN_OWN),
)
SEARCH = "customers:list"
LOG_CONTACT = "customers:contact-point-add"


class Place(NamedTuple):
    """A destination as the templates print it: texts and flags only, since fragments are remembered by their values."""

    label: str
    icon: str
    href: str
    shortcut: str
    on_phone: bool
    is_current: bool


@lru_cache(maxsize=64)
def address(name: str) -> str:
    """The path of a page; empty where the page is not part of this installation."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


class Shell:
    """The frame of one request's page. Templates read its attributes, each worked out when first read."""

    build = settings.BUILD
    modules = MODULES
    languages = (("en", "English"), ("zh-hans", "简体中文"))  # each in its own tongue, for those who read no other

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def work(self) -> tuple[Place, ...]:
        return self._places(WORK)

    @cached_property
    def administration(self) -> tuple[Place, ...]:
        return self._places(ADMINISTRATION)

    @cached_property
    def settings(self) -> tuple[Place, ...]:
        """Tabs of the person's own pages."""
        return self._places(SETTINGS)

    @cached_property
    def theme(self) -> str:
        user: Any = getattr(self._request, "user", None)  # missing where a request is refused before the middleware ran
        return user.theme if user and user.is_authenticated else "auto"

    @property
    def profile(self) -> str:
        return address("users:profile")

    @property
    def search(self) -> str:
        return address(SEARCH)

    @property
    def log_contact(self) -> str:
        return address(LOG_CONTACT) if allowed(self._request.user, Permission.CONTACT_POINT_ADD) else ""

    def _places(self, destinations: tuple[Destination, ...]) -> tuple[Place, ...]:
        user, path = self._request.user, self._request.path
        return tuple(
            Place(str(one.label), one.icon, href, one.shortcut, one.on_phone, path == href or (href != "/" and path.startswith(href)))
            for one in destinations
            if (href := address(one.to)) and (one.needs is None or allowed(user, one.needs))
        )


def shell(request: HttpRequest) -> dict[str, object]:
    return {"shell": Shell(request), "build": settings.BUILD}
