"""What pages print over and over, and the fragments that are rendered once."""

from __future__ import annotations

from datetime import date

import pytest
from django.conf import settings
from django.template import engines
from django.urls import reverse
from django.utils import translation

from customers.models import ContactPoint, Contract, Customer
from users import marks


def rendered(source: str, **values: object) -> str:
    html: str = engines["django"].from_string(source).render(values)
    return html


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("model", [Customer, Contract, ContactPoint])
def test_a_label_is_the_one_that_the_field_names_in_that_language(model: type[Customer], language: str) -> None:
    with translation.override(language):
        for field in model._meta.concrete_fields:
            for value, label in field.flatchoices:
                assert getattr(model(**{field.attname: value}), f"get_{field.name}_display")() == str(label)


def test_a_value_without_a_label_stands_for_itself() -> None:
    assert Customer(kind="unheard of").get_kind_display() == "unheard of"


def test_a_page_of_a_list_has_the_address_that_the_url_tag_gives() -> None:
    assert rendered('{{ pk|page:"customers:contact-point-correct" }}', pk=1234) == reverse("customers:contact-point-correct", args=[1234])


@pytest.mark.parametrize("value", ["<b>&'\"", 7, None])
def test_a_value_that_is_no_html_is_escaped(value: object) -> None:
    assert marks.text(value) == rendered("{{ value }}", value=str(value))


def test_a_value_that_is_html_is_left_alone() -> None:
    assert marks.text(marks.badge("<b>")) == '<span class="badge">&lt;b&gt;</span>'


def test_a_fragment_follows_its_values_and_the_language() -> None:
    source = '{% fragment "shell/log_contact.html" log_contact=address %}'
    assert rendered(source, address="").strip() == ""
    assert 'href="/one/"' in rendered(source, address="/one/")
    assert 'href="/two/"' in rendered(source, address="/two/")
    with translation.override("zh-hans"):
        chinese = rendered(source, address="/one/")
    assert chinese != rendered(source, address="/one/")


def test_a_fragment_sees_nothing_of_the_page_around_it() -> None:
    assert rendered('{% fragment "shell/log_contact.html" %}', log_contact="/secret/").strip() == ""


def test_a_missing_date_is_a_dash() -> None:
    assert (marks.day(None), marks.ago(None), marks.when(None)) == ("–", "–", "–")
    assert 'datetime="2026-11-23"' in marks.day(date(2026, 11, 23))
