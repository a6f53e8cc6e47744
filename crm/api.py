"""The REST API's map: every noun under /api/v1/, its OpenAPI document and the page that shows it."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from crm.api_schema import OpenApiDocument, api_docs
from customers.api.contact_points import ContactPointView
from customers.api.contacts import AddressView, ConsentView, ContactMethodView, ContactView, PositionView
from customers.api.custom_fields import CustomFieldView
from customers.api.customers import CustomerView
from customers.api.imports import ImportProblemView, ImportView
from customers.api.jobs import JobView
from customers.api.sales import (
    AssetView,
    ContractView,
    ExchangeRateView,
    InvoiceView,
    OpportunityView,
    OrderView,
    PaymentView,
    ProductView,
)
from customers.api.sources import CrossReferenceView, SourceRecordView, SourceSystemView
from segmentation.api.ledger import RuleVersionView, TierDecisionView, TierOverrideView
from segmentation.api.runs import BackTestView, ValueRunView
from segmentation.api.scores import ContractOutlookView, MonthlyValueView, ScoreView
from segmentation.api.segments import SegmentView
from users.api.nouns import ApiTokenView, EventView, TeamView, UserView

NOUNS = {
    "customers": CustomerView,
    "contacts": ContactView,
    "positions": PositionView,
    "contact-methods": ContactMethodView,
    "addresses": AddressView,
    "consents": ConsentView,
    "contact-points": ContactPointView,
    "products": ProductView,
    "exchange-rates": ExchangeRateView,
    "orders": OrderView,
    "contracts": ContractView,
    "assets": AssetView,
    "invoices": InvoiceView,
    "payments": PaymentView,
    "opportunities": OpportunityView,
    "scores": ScoreView,
    "tier-decisions": TierDecisionView,
    "tier-overrides": TierOverrideView,
    "contract-outlooks": ContractOutlookView,
    "monthly-values": MonthlyValueView,
    "value-runs": ValueRunView,
    "back-tests": BackTestView,
    "rule-versions": RuleVersionView,
    "custom-fields": CustomFieldView,
    "source-systems": SourceSystemView,
    "source-records": SourceRecordView,
    "cross-references": CrossReferenceView,
    "imports": ImportView,
    "import-problems": ImportProblemView,
    "jobs": JobView,
    "segments": SegmentView,
    "users": UserView,
    "teams": TeamView,
    "tokens": ApiTokenView,
    "events": EventView,
}


class NothingHere(APIView):
    """Whatever is no address of the API, answered as the API answers."""

    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


router = SimpleRouter(use_regex_path=False)
for prefix, view in NOUNS.items():
    router.register(prefix, view, basename=f"api-{prefix}")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(router.urls)),
    path("schema/", OpenApiDocument.as_view(), name="api-schema"),
    path("docs/", api_docs, name="api-docs"),
    re_path(r"^.*$", NothingHere.as_view()),
]
