from __future__ import annotations

import pytest
from django.test import override_settings

from customers.models import Suppression

pytestmark = pytest.mark.django_db


def test_only_addresses_of_erased_people_are_suppressed() -> None:
    Suppression.add(["li@example.com", "+8613800138000", ""])
    assert Suppression.suppressed(["li@example.com", "wang@example.com", ""]) == {"li@example.com"}


def test_the_address_itself_is_not_stored() -> None:
    Suppression.add(["li@example.com"])
    assert "li@example.com" not in str(list(Suppression.objects.values()))


def test_an_address_suppressed_twice_is_kept_once() -> None:
    Suppression.add(["li@example.com"])
    Suppression.add(["li@example.com"])
    assert Suppression.objects.count() == 1


def test_a_new_secret_key_forgets_nobody() -> None:
    with override_settings(SECRET_KEY="the former key"):
        Suppression.add(["li@example.com"])
    with override_settings(SECRET_KEY_FALLBACKS=["the former key"]):
        assert Suppression.suppressed(["li@example.com"]) == {"li@example.com"}
