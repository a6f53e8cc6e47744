"""One row of every noun in the North, for tests that go through all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.utils import timezone

from customers import models as c
from segmentation import models as s
from tests.factories import (
    make_back_test,
    make_contact,
    make_contact_point,
    make_contract,
    make_customer,
    make_decision,
    make_order,
    make_outlook,
    make_product,
    make_run,
    make_score,
    make_segment,
    make_team,
    make_user,
)
from tests.people import World
from users.access import Role, Scope
from users.models import ApiToken, Event, Team, User


@dataclass(frozen=True)
class Scene:
    customer: c.Customer
    discarded_customer: c.Customer
    contact: c.Contact
    discarded_contact: c.Contact
    position: c.Position
    contact_method: c.ContactMethod
    address: c.Address
    consent: c.Consent
    contact_point: c.ContactPoint
    product: c.Product
    exchange_rate: c.ExchangeRate
    order: c.Order
    contract: c.Contract
    asset: c.Asset
    invoice: c.Invoice
    payment: c.Payment
    opportunity: c.Opportunity
    loose_opportunity: c.Opportunity
    custom_field: c.CustomField
    source_system: c.SourceSystem
    source_record: c.SourceRecord
    cross_reference: c.CrossReference
    import_run: c.ImportRun
    import_problem: c.ImportProblem
    job: c.Job
    filed_job: c.Job
    user: User
    inactive_user: User
    team: Team
    token: ApiToken
    event: Event
    value_run: s.ValueRun
    score: s.Score  # of a move that waits for approval
    tier_decision: s.TierDecision
    tier_override: s.TierOverride
    rule_draft: s.RuleVersion
    preview_job: c.Job
    back_test: s.BackTest
    scenario: s.Scenario
    contract_outlook: s.ContractOutlook
    segment: s.Segment
    archived_segment: s.Segment


def make_scene(world: World) -> Scene:
    """Everything belongs to Ana's customer in the North; jobs and imports are hers, and the token is the administrator's."""
    ana = world.ana
    customer = make_customer("Nordlys", team=world.north, by=ana, owner=ana)
    discarded_customer = make_customer("Gone", team=world.north, by=ana, owner=ana)
    discarded_customer.discard(by=world.ada)
    contact = make_contact("Kari Berg", customer=customer, by=ana)
    discarded_contact = make_contact("Per Dahl", customer=customer, by=ana)
    discarded_contact.discard(by=ana)
    product = make_product("GTX")
    invoice = c.Invoice.add(
        by=None, customer=customer, number="I1", issued_on=date(2026, 3, 2), due_on=date(2026, 4, 1), amount=Decimal(100)
    )
    job = c.Job.objects.create(kind="import", title="Import", requested_by=ana)
    filed_job = c.Job.objects.create(kind="export_person", title="Copy", requested_by=world.ada, state="done")
    filed_job.file.save("copy.zip", ContentFile(b"PK"))
    source = c.SourceSystem.objects.create(code="erp", name="ERP")
    run = c.ImportRun.objects.create(
        kind="customers", source=source, by=ana, file="imports/none.csv", file_name="none.csv", job=job, state="done"
    )
    value_run = make_run()
    archived_segment = make_segment("Archived", by=ana)
    archived_segment.discard(by=ana)
    contract = make_contract(customer=customer)
    token, _secret = ApiToken.issue(user=world.ada, by=world.ada, name="Nightly", scopes=[Scope.CUSTOMERS_READ])
    return Scene(
        customer=customer,
        discarded_customer=discarded_customer,
        contact=contact,
        discarded_contact=discarded_contact,
        position=contact.positions.get(),
        contact_method=c.ContactMethod.add(by=ana, contact=contact, kind="mail", value="kari@example.com", normalised="kari@example.com"),
        address=c.Address.add(by=ana, customer=customer, city="Bergen"),
        consent=c.Consent.add(by=ana, contact=contact, channel="mail", purpose="marketing"),
        contact_point=make_contact_point(customer=customer, by=ana, contact=contact),
        product=product,
        exchange_rate=c.ExchangeRate.objects.create(currency="NOK", on=date(2026, 1, 1), rate=Decimal("0.1")),
        order=make_order(customer=customer),
        contract=contract,
        asset=c.Asset.add(by=None, customer=customer, product=product, serial="S1"),
        invoice=invoice,
        payment=c.Payment.add(by=None, invoice=invoice, paid_on=date(2026, 4, 2), amount=Decimal(100)),
        opportunity=c.Opportunity.add(by=None, customer=customer, owner=ana, title="More"),
        loose_opportunity=c.Opportunity.add(by=None, owner=ana, title="Whose?"),
        custom_field=c.CustomField.add(by=world.ada, key="fleet", label="Fleet", kind="number"),
        source_system=source,
        source_record=c.SourceRecord.objects.get(noun="customer", key=str(customer.pk)),
        cross_reference=c.CrossReference.objects.get(customer=customer),
        import_run=run,
        import_problem=c.ImportProblem.objects.create(run=run, row_number=2, code="missing"),
        job=job,
        filed_job=filed_job,
        user=make_user("ola", team=world.north, role=Role.SERVICE_AGENT),
        inactive_user=make_user("old", team=world.north, role=Role.SERVICE_AGENT, is_active=False),
        team=make_team("Oslo", parent=world.north),
        token=token,
        event=Event.objects.of("customer", customer.pk).newest_first()[0],
        value_run=value_run,
        score=make_score(customer=customer, run=value_run, tier=1, proposed_tier=2, proposal="approval", proposed_since=value_run.as_of),
        tier_decision=make_decision(customer=customer, run=value_run),
        tier_override=s.TierOverride.add(
            by=world.mo, customer=customer, tier=1, reason="Key", owner=world.mo, ends_on=timezone.localdate() + timedelta(days=90)
        ),
        rule_draft=s.RuleVersion.draft(by=world.ada),
        preview_job=c.Job.objects.create(kind="rules-preview", title="Preview", requested_by=world.ada),
        back_test=make_back_test(run=value_run),
        scenario=s.Scenario.objects.create(name="Keep more", run=value_run, by=world.xia, changes={"retention": {"1": 0.02}}),
        contract_outlook=make_outlook(contract=contract, run=value_run),
        segment=make_segment("Shared", by=ana),
        archived_segment=archived_segment,
    )
