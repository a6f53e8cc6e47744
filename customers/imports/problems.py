"""What can be wrong with a file, a row or a cell, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import ImportProblem

Severity = ImportProblem.Severity

MESSAGES: dict[str, Promise] = {
    "bad_country": _("Not a country that we know: give its name or two letters, such as CN."),
    "already_logged": _("Already logged with other values; the first entry is kept. Correct a contact point on its customer's page."),
    "bad_choice": _("Not one of the possible values: %(choices)s."),
    "bad_credit_code": _("The check digit of this unified social credit code is wrong."),
    "bad_currency": _("Not a currency: three letters, such as EUR."),
    "bad_custom": _("Does not fit the custom field: %(reason)s"),
    "bad_date": _("Not a day in the form that this column has (%(order)s)."),
    "bad_mail": _("Not an e-mail address."),
    "bad_moment": _("Not a day and time."),
    "bad_number": _("Not a number in the form that this column has."),
    "bad_phone": _("Not a telephone number that can be dialled; kept as written."),
    "bad_url": _("Not a web address."),
    "bad_whole_number": _("Not a whole number."),
    "circle": _("This would make the customer its own parent company."),
    "clock_ahead": _("Lies in the future; a contact point has happened."),
    "customer_missing": _("No customer is named."),
    "customer_unknown": _("No customer is called that."),
    "customer_unclear": _("Several customers are called that: give the customer number."),
    "erased": _("This person asked to be erased and is not taken in again."),
    "may_not_assign": _("You may not give customers to colleagues."),
    "missing": _("Must not be empty."),
    "not_in_order": _("Lies before %(other)s."),
    "not_visible": _("Belongs to a record that you do not see."),
    "nul": _("Contains a character that is no text (NUL)."),
    "overlaps": _("Runs at the same time as %(other)s: a contract and its renewal follow each other."),
    "owner_unknown": _("No colleague is called that; imported without an owner."),
    "owner_unclear": _("Several colleagues are called that: give the e-mail address; imported without an owner."),
    "parent_unclear": _("Several customers are called that: name the parent company by its customer number."),
    "parent_unknown": _("No customer is called that; imported without a parent company."),
    "possible_duplicate": _("Looks like %(other)s; imported as a customer of its own."),
    "product_unclear": _("Several products are called that; imported without a product."),
    "product_unknown": _("No product is called that; imported without a product."),
    "refused": _("The database refused the row: %(reason)s"),
    "superior_circle": _("This would make the person their own superior."),
    "superior_of_which_customer": _("Name the customer at which this holds; imported without a superior."),
    "superior_unclear": _("Several people at this customer are called that: give the key in the source; imported without a superior."),
    "superior_unknown": _("Nobody at this customer is called that; imported without a superior."),
    "too_large": _("Too large: below %(limit)s."),
    "too_long": _("Longer than %(limit)s characters."),
    "too_many_cells": _("The row has more cells than the file has columns."),
    "too_small": _("Must not be below %(limit)s."),
}


class BadFile(Exception):
    """The file as a whole cannot be read; the message is for the person who gave it."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong. An ERROR rejects the row, a TO_DO waits for a person, a WARNING lets the row in and says so."""

    code: str
    column: str = ""
    value: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    severity: str = Severity.ERROR


def explain(code: str, parameters: dict[str, Any]) -> str:
    """The message of a problem in the reader's language."""
    return str(MESSAGES[code]) % parameters if code in MESSAGES else code
