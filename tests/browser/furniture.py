"""One customer with something in every corner, so that no page is looked at empty."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.core.files.base import ContentFile

from customers.imports import runs
from customers.models import Contact, Customer, CustomField, ImportRun, Job
from segmentation.models import Scenario, Segment, TierDecision, ValueRun
from segmentation.segments import refresh_memberships
from tests.browser.valued import value_company
from tests.factories import make_contact, make_contact_point, make_contract, make_customer, make_order, make_segment, make_user
from tests.people import World
from users.access import Role
from users.models import User

LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH"


@dataclass(frozen=True)
class Furniture:
    world: World
    zhang: User  # an administrator who works in Chinese
    customer: Customer
    contact: Contact
    import_run: ImportRun
    checked_run: ImportRun  # with a problem of each severity
    value_run: ValueRun
    decision: TierDecision
    scenario: Scenario
    waiting_run: ImportRun  # done, with rows that wait for their customer
    job: Job  # done, with a file to take away
    custom_field: CustomField
    segment: Segment


def furnish(world: World) -> Furniture:
    zhang = make_user("zhang", team=world.head_office, role=Role.ADMINISTRATOR, language="zh-hans")
    customer = make_customer(LONG_NAME, team=world.north, by=world.ana)
    make_customer("海尔智家股份有限公司", team=world.north, by=world.ana)
    contact = make_contact("欧阳 Alexandra Featherstonehaugh", customer=customer, by=world.ana)
    make_order(customer=customer, amount=1_234_567)
    contract = make_contract(customer=customer)
    value_run, decision, scenario = value_company(world, customer, contract)
    make_contact_point(customer=customer, by=world.ana, contact=contact, subject="Wants a quotation for https://" + "long" * 40)
    table = io.BytesIO("Name,Founded,Signed on\nAcme,1987,03-04-2017\n华信科技,2001,05-06-2018\n".encode())
    import_run = runs.start(by=world.ada, kind=ImportRun.Kind.CUSTOMERS, source_code="erp", name="customers.csv", content=table)
    job = Job.objects.create(
        kind="export_person", title="Copy of a person's data", requested_by=world.ada, state="done", progress=12, total=12
    )
    job.file.save("copy.zip", ContentFile(b"PK"))
    custom_field = CustomField.add(by=world.ada, key="fleet", label="Vehicles in the fleet", kind="choice", choices=["None", "Some"])
    return Furniture(
        world,
        zhang,
        customer,
        contact,
        import_run,
        _checked_run(world),
        value_run,
        decision,
        scenario,
        _waiting_run(world),
        job,
        custom_field,
        _segment(world),
    )


def _segment(world: World) -> Segment:
    """Whose members are everybody, by a rule with a group, a negation and a noun."""
    leading = {"field": "score.tier", "is": "at_least", "value": "gold"}
    mine = {"field": "owner", "is": "any_of", "value": ["me"]}
    this_year = {"field": "ordered_on", "is": "in_period", "value": "this_year"}
    rule = {"any": [{"not": {"all": [leading, mine]}}, {"related": "orders", "is": "at_least", "count": 2, "where": [this_year]}]}
    segment = make_segment(LONG_NAME, by=world.ada, rule=rule, description="Who is asked to the fair")
    refresh_memberships([segment.pk])
    segment.refresh_from_db()
    return segment


def _checked_run(world: World) -> ImportRun:
    table = f"id,name,employees,country,owner\n1,{LONG_NAME},many,Atlantis,Nobody\n2,{LONG_NAME},5,CN,Nobody\n"
    run = runs.start(by=world.ada, kind=ImportRun.Kind.CUSTOMERS, source_code="fair", name="fair.csv", content=io.BytesIO(table.encode()))
    runs.set_mapping(run, mapping=run.mapping)
    runs.check(run, lambda _done: None)
    return run


def _waiting_run(world: World) -> ImportRun:
    table = "id,customer,serial\n1,Nobody Incorporated of Nowhere,S1\n2,Nobody Incorporated of Nowhere,S2\n"
    run = runs.start(by=world.ada, kind=ImportRun.Kind.ASSETS, source_code="fair", name="assets.csv", content=io.BytesIO(table.encode()))
    runs.set_mapping(run, mapping=run.mapping)
    runs.launch(run)
    runs.work(ImportRun.objects.select_related("source", "by").get(pk=run.pk), lambda _done: None)
    Job.objects.filter(kind="import", arguments__run_id=run.pk).update(state=Job.State.DONE)
    run.refresh_from_db()
    return run
