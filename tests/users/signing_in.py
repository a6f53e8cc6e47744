"""A signed-in browser, past its first page, so that what a session writes once is written."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from users.models import User


def sign_in(user: User) -> Client:
    browser = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    browser.force_login(user)
    assert browser.get(reverse("users:profile")).status_code == 200
    return browser
