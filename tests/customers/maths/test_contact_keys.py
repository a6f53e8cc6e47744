from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.maths.contact_keys import LONGEST, method_key


@pytest.mark.parametrize(
    ("kind", "value", "region", "key"),
    [
        ("phone", "(021) 6888-1234", "CN", "+862168881234"),
        ("phone", "+86 21 6888 1234 ext. 12", "US", "+862168881234;ext=12"),
        ("mobile", "138 0013 8000", "CN", "+8613800138000"),
        ("mobile", "１３８００１３８０００", "CN", "+8613800138000"),
        ("phone", "030 901820", "de", "+4930901820"),
        ("mail", " Li.Na@Example.COM ", "CN", "li.na@example.com"),
        ("wechat", "LiNa_2020", "CN", "lina_2020"),
    ],
)
def test_spellings_of_one_address_meet(kind: str, value: str, region: str, key: str) -> None:
    assert method_key(kind, value, region) == (key, True)


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        ("phone", "ask at reception", "ask at reception"),
        ("phone", "12", "12"),
        ("mail", "nobody at example", "nobody at example"),
        ("wechat", "a b", "a b"),
    ],
)
def test_a_bad_address_keeps_its_text_and_is_said_to_be_bad(kind: str, value: str, key: str) -> None:
    assert method_key(kind, value, "US") == (key, False)


@given(st.sampled_from(["phone", "mobile", "mail", "wechat", "fax"]), st.text(min_size=1), st.sampled_from(["US", "CN", "", "??"]))
def test_any_text_has_a_key_that_fits_its_column(kind: str, value: str, region: str) -> None:
    key, is_valid = method_key(kind, value, region)
    assert len(key) <= LONGEST
    assert key or not is_valid
