from customers.models.asset import Asset
from customers.models.consent import Consent, Suppression
from customers.models.contact import Contact, Position
from customers.models.contact_method import Address, ContactMethod
from customers.models.contact_point import ContactPoint
from customers.models.contract import Contract
from customers.models.counter import Counter
from customers.models.custom_field import CustomField
from customers.models.customer import Customer
from customers.models.import_run import ImportProblem, ImportRun
from customers.models.invoice import Invoice, Payment
from customers.models.job import Job
from customers.models.opportunity import Opportunity
from customers.models.order import Order, OrderLine
from customers.models.product import ExchangeRate, Product
from customers.models.source import CrossReference, SourceRecord, SourceSystem

__all__ = [
    "Address",
    "Asset",
    "Consent",
    "Contact",
    "ContactMethod",
    "ContactPoint",
    "Contract",
    "Counter",
    "CrossReference",
    "CustomField",
    "Customer",
    "ExchangeRate",
    "ImportProblem",
    "ImportRun",
    "Invoice",
    "Job",
    "Opportunity",
    "Order",
    "OrderLine",
    "Payment",
    "Position",
    "Product",
    "SourceRecord",
    "SourceSystem",
    "Suppression",
]
