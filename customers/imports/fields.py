"""What each kind of file can tell: its fields, what they hold, and the names that columns have for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import BaseValidator
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.maths.names import match_key
from customers.models import (
    Address,
    Asset,
    Contact,
    ContactMethod,
    ContactPoint,
    Contract,
    Customer,
    CustomField,
    ImportRun,
    Opportunity,
    Order,
    OrderLine,
    Position,
    Product,
)

Kind = ImportRun.Kind
KEY = "key"  # the record's key in its source system
CUSTOM = "custom."

# What a cell of a field holds; `cleaning` has a function for each.
TEXT, DECIMAL, WHOLE, DAY, MOMENT, CHOICE, CHOICES, TAGS = "text", "decimal", "whole", "day", "moment", "choice", "choices", "tags"
COUNTRY, CURRENCY, URL, MAIL, PHONE, CREDIT_CODE, CUSTOM_VALUE = "country", "currency", "url", "mail", "phone", "credit_code", "custom"
CUSTOMER, PRODUCT, COLLEAGUE = "customer", "product", "colleague"  # names of other records, see `references`
CONTACT = "contact"  # a person at the row's customer, see `superiors`
REPORTS_TO = "position.reports_to"

_BY_CLASS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (models.URLField, URL),
    (models.DecimalField, DECIMAL),
    (models.DateTimeField, MOMENT),
    (models.DateField, DAY),
    (models.IntegerField, WHOLE),
)
_BY_NAME = {"country": COUNTRY, "currency": CURRENCY, "credit_code": CREDIT_CODE, "tags": TAGS, "preferred_channels": CHOICES}
_BY_TARGET = {"Customer": CUSTOMER, "Product": PRODUCT, "User": COLLEAGUE, "Contact": CONTACT}


@dataclass(frozen=True)
class Field:
    """Something that a file can tell about its records."""

    name: str
    label: Promise | str
    holds: str
    required: bool = False
    names: tuple[str, ...] = ()  # what columns are called that hold this
    longest: int = 0  # characters
    choices: tuple[tuple[Any, Any], ...] = ()
    lowest: int | None = None
    highest: int | None = None
    places: int = 2  # after the decimal mark
    custom: CustomField | None = None

    @property
    def is_reference(self) -> bool:
        return self.holds in (CUSTOMER, PRODUCT, COLLEAGUE)


def _key(*names: str) -> Field:
    return Field(KEY, _("Key in the source"), TEXT, names=("key", "id", "source key", "external id", "编号", *names), longest=200)


def _of(model: type[models.Model], name: str, *names: str, required: bool = False, as_: str = "") -> Field:
    """The field of a model as a field of a file: type, length, choices and bounds come from there."""
    field: Any = model._meta.get_field(name)
    base = field.base_field if isinstance(field, ArrayField) else field
    bounds = {one.code: one.limit_value for one in field.validators if isinstance(one, BaseValidator)}
    lowest, highest = bounds.get("min_value"), bounds.get("max_value")
    return Field(
        as_ or name,
        field.verbose_name,
        _holds(field),
        required=required,
        names=(name.replace("_", " "), *names),
        longest=base.max_length or 0,
        choices=tuple(base.choices or ()),
        lowest=0 if isinstance(field, models.PositiveIntegerField | models.PositiveSmallIntegerField) and lowest is None else lowest,
        highest=highest if highest is not None else (32_767 if isinstance(field, models.PositiveSmallIntegerField) else None),
        places=getattr(field, "decimal_places", None) or 2,
    )


def _holds(field: Any) -> str:
    if field.name in _BY_NAME:
        return _BY_NAME[field.name]
    if field.is_relation:
        return _BY_TARGET[field.related_model.__name__]
    if field.choices:
        return CHOICE
    return next((holds for model_class, holds in _BY_CLASS if isinstance(field, model_class)), TEXT)


def _method(kind: ContactMethod.Kind, *names: str) -> Field:
    holds = PHONE if kind in (ContactMethod.Kind.PHONE, ContactMethod.Kind.MOBILE, ContactMethod.Kind.FAX) else TEXT
    holds = MAIL if kind == ContactMethod.Kind.MAIL else holds
    return Field(f"method.{kind.value}", kind.label, holds, names=names, longest=254)


_METHODS = (
    _method(ContactMethod.Kind.PHONE, "phone", "telephone", "tel", "phone number", "电话"),
    _method(ContactMethod.Kind.MOBILE, "mobile", "cell", "mobile phone", "手机"),
    _method(ContactMethod.Kind.MAIL, "mail", "e-mail", "email", "e-mail address", "邮箱"),
    _method(ContactMethod.Kind.WECHAT, "wechat", "wechat id", "微信"),
    _method(ContactMethod.Kind.FAX, "fax", "传真"),
)
_ADDRESS = (
    _of(Address, "street", "address", "street address", "地址", as_="address.street"),
    _of(Address, "postcode", "zip", "zip code", "postal code", "邮编", as_="address.postcode"),
    _of(Address, "city", "town", "城市", as_="address.city"),
)
_CUSTOMER = _of(Position, "customer", "account", "company", "client", "customer name", "organisation", "客户", required=True)
_OWNER = ("owner", "sales agent", "sales rep", "account manager", "seller", "客户经理", "负责人")

FIELDS: dict[str, tuple[Field, ...]] = {
    Kind.CUSTOMERS: (
        _key("customer id", "account id", "客户编号"),
        _of(Customer, "legal_name", "name", "account", "company", "company name", "customer", "公司名称", "客户名称", required=True),
        _of(Customer, "short_name", "简称"),
        _of(Customer, "other_legal_name", "english name", "chinese name", "英文名称"),
        _of(Customer, "other_short_name", "english short name", "英文简称"),
        _of(Customer, "credit_code", "uscc", "tax id", "unified social credit code", "统一社会信用代码", "税号"),
        _of(Customer, "kind", "type", "客户类型"),
        _of(Customer, "status", "state", "状态"),
        _of(Customer, "industry", "sector", "branch", "行业"),
        _of(Customer, "employees", "staff", "headcount", "员工人数"),
        _of(Customer, "annual_revenue", "revenue", "turnover", "年收入", "营业额"),
        _of(Customer, "founded_year", "year established", "founded", "成立年份"),
        _of(Customer, "region", "province", "state province", "地区", "省份"),
        _of(Customer, "country", "office location", "国家"),
        _of(Customer, "website", "web", "url", "homepage", "网址"),
        _of(Customer, "parent", "subsidiary of", "parent company", "母公司"),
        _of(Customer, "owner", *_OWNER),
        _of(Customer, "acquisition_source", "source", "lead source", "来源"),
        _of(Customer, "acquired_on", "customer since", "since", "acquired", "成为客户日期"),
        _of(Customer, "acquisition_cost"),
        _of(Customer, "preferred_channels", "channels", "偏好渠道"),
        _of(Customer, "payment_terms_days", "payment terms", "terms", "付款期限"),
        _of(Customer, "payment_preference", "pays by", "payment method", "付款方式"),
        _of(Customer, "currency", "币种"),
        _of(Customer, "tags", "labels", "标签"),
        *_METHODS,
        *_ADDRESS,
    ),
    Kind.CONTACTS: (
        _key("contact id", "联系人编号"),
        _of(Contact, "name", "contact", "full name", "contact name", "姓名", "联系人", required=True),
        _of(Contact, "other_name", "english name", "英文名"),
        _of(Contact, "salutation", "title", "称谓"),
        _of(Contact, "birthday", "date of birth", "生日"),
        _of(Contact, "language", "语言"),
        _of(Contact, "notes", "remark", "remarks", "备注"),
        Field(CUSTOMER, _CUSTOMER.label, CUSTOMER, names=_CUSTOMER.names),
        _of(Position, "job_title", "position", "function", "职位", as_="position.job_title"),
        _of(Position, "department", "部门", as_="position.department"),
        _of(Position, "role", "角色", as_="position.role"),
        _of(Position, "reports_to", "superior", "supervisor", "manager", "boss", "上级", "汇报对象", as_=REPORTS_TO),
        *_METHODS,
        *_ADDRESS,
    ),
    Kind.PRODUCTS: (
        _key("product id"),
        _of(Product, "code", "product code", "sku", "article", "item number", "产品编码"),
        _of(Product, "name", "product", "product name", "产品", "产品名称", required=True),
        _of(Product, "category", "series", "group", "product group", "类别"),
        _of(Product, "unit_price", "price", "sales price", "list price", "单价"),
        _of(Product, "unit_cost", "cost", "成本"),
        _of(Product, "currency", "币种"),
    ),
    Kind.ORDERS: (
        _key("order id", "order number", "order no", "订单号", "订单编号"),
        _CUSTOMER,
        _of(Order, "ordered_on", "order date", "date", "下单日期", "订单日期", required=True),
        _of(Order, "delivered_on", "delivery date", "delivered", "交付日期"),
        _of(Order, "status", "state", "状态"),
        _of(Order, "owner", *_OWNER),
        _of(Order, "currency", "币种"),
        _of(Order, "channel", "sales channel", "渠道"),
        _of(OrderLine, "position", "line", "line number", "line no", "行号", as_="line.position"),
        _of(OrderLine, "product", "item", "article", "产品", as_="line.product"),
        _of(OrderLine, "description", "text", "描述", as_="line.description"),
        _of(OrderLine, "quantity", "qty", "pieces", "数量", as_="line.quantity"),
        _of(OrderLine, "list_price", "price", "单价", as_="line.list_price"),
        _of(OrderLine, "amount", "total", "value", "sales", "revenue", "金额", required=True, as_="line.amount"),
        _of(OrderLine, "cost", "costs", "成本", as_="line.cost"),
    ),
    Kind.CONTRACTS: (
        _key("contract id", "contract number", "contract no", "合同号", "合同编号"),
        _CUSTOMER,
        _of(Contract, "title", "name", "contract", "subject", "合同名称", required=True),
        _of(Contract, "product", "item", "产品"),
        _of(Contract, "recurring_amount", "amount", "value", "fee", "金额", required=True),
        _of(Contract, "recurring_cost", "cost", "成本"),
        _of(Contract, "period", "billing period", "interval", "周期"),
        _of(Contract, "currency", "币种"),
        _of(Contract, "starts_on", "start", "start date", "from", "开始日期", required=True),
        _of(Contract, "ends_on", "end", "end date", "until", "结束日期", "到期日"),
        _of(Contract, "cancelled_on", "cancelled", "cancellation date"),
        _of(Contract, "renewal", "续约"),
        _of(Contract, "notice_days", "notice"),
        _of(Contract, "service_grade", "grade", "service level", "服务等级"),
        _of(Contract, "owner", *_OWNER),
    ),
    Kind.ASSETS: (
        _key("asset id", "资产编号"),
        _CUSTOMER,
        _of(Asset, "serial", "serial number", "serial no", "sn", "序列号", required=True),
        _of(Asset, "product", "item", "model", "产品", "型号"),
        _of(Asset, "name", "asset", "asset name", "名称"),
        _of(Asset, "delivered_on", "delivered", "delivery date", "交付日期"),
        _of(Asset, "warranty_until", "warranty", "warranty end", "保修期至"),
        _of(Asset, "retired_on", "retired"),
        _of(Asset, "location", "site", "位置"),
    ),
    Kind.CONTACT_POINTS: (
        _key("activity id", "call id"),
        _CUSTOMER,
        _of(ContactPoint, "at", "when", "date", "time", "timestamp", "日期", "时间", required=True),
        _of(ContactPoint, "kind", "type", "activity type", "类型", required=True),
        _of(ContactPoint, "channel", "渠道"),
        _of(ContactPoint, "direction", "方向"),
        _of(ContactPoint, "stage", "阶段"),
        _of(ContactPoint, "staff", "author", "colleague", "agent", "by", *_OWNER),
        _of(ContactPoint, "subject", "title", "主题", required=True),
        _of(ContactPoint, "body", "text", "notes", "description", "内容"),
        _of(ContactPoint, "outcome", "result", "结果"),
        _of(ContactPoint, "minutes", "duration", "分钟"),
        _of(ContactPoint, "cost", "成本"),
        _of(ContactPoint, "signal", "信号"),
    ),
    Kind.OPPORTUNITIES: (
        _key("opportunity id", "deal id", "商机编号"),
        Field(CUSTOMER, _CUSTOMER.label, CUSTOMER, names=_CUSTOMER.names),
        _of(Opportunity, "product", "item", "产品"),
        _of(Opportunity, "title", "name", "opportunity", "deal", "商机名称"),
        _of(Opportunity, "stage", "deal stage", "status", "阶段"),
        _of(Opportunity, "owner", *_OWNER),
        _of(Opportunity, "engaged_on", "engage date", "start date", "开始日期"),
        _of(Opportunity, "closed_on", "close date", "end date", "结束日期"),
        _of(Opportunity, "amount", "close value", "value", "金额"),
        _of(Opportunity, "currency", "币种"),
    ),
}

# By which field a row finds the record that it speaks of; the first is the usual one.
MATCHED_BY: dict[str, tuple[str, ...]] = {
    Kind.CUSTOMERS: (KEY, "credit_code", "legal_name"),
    Kind.CONTACTS: (KEY, "method.mail"),
    Kind.PRODUCTS: (KEY, "code", "name"),
    Kind.ORDERS: (KEY,),
    Kind.CONTRACTS: (KEY,),
    Kind.ASSETS: (KEY, "serial"),
    Kind.CONTACT_POINTS: (KEY,),
    Kind.OPPORTUNITIES: (KEY,),
}


def fields_of(kind: str) -> dict[str, Field]:
    """The fields of a kind of file by name, an administrator's own fields of the customer among them."""
    fields = {field.name: field for field in FIELDS[kind]}
    if kind == Kind.CUSTOMERS:
        for custom in CustomField.objects.in_use():
            name = f"{CUSTOM}{custom.key}"
            names = tuple(filter(None, (custom.key.replace("_", " "), custom.label, custom.label_zh)))
            fields[name] = Field(name, str(custom), CUSTOM_VALUE, names=names, custom=custom)
    return fields


def guess_mapping(columns: Iterable[str], kind: str) -> dict[str, str]:
    """{column: field} for the columns whose name says what they hold; each field once, earlier columns first."""
    by_name: dict[str, str] = {}
    for field in fields_of(kind).values():
        for name in field.names:
            by_name.setdefault(match_key(name), field.name)
    mapping: dict[str, str] = {}
    for column in columns:
        field_name = by_name.get(match_key(column))
        if field_name and field_name not in mapping.values():
            mapping[column] = field_name
    return mapping


def match_choices(kind: str, mapping: dict[str, str]) -> list[str]:
    """The fields that could identify a row under this mapping."""
    return [name for name in MATCHED_BY[kind] if name in mapping.values()]
