"""The map of the customer pages."""

from django.urls import path

from customers.views import contact, contact_point, customer, customer_form, customer_list, history, import_run, timeline

app_name = "customers"

urlpatterns = [
    path("customers/", customer_list.customer_list, name="list"),
    path("customers/columns/", customer_list.customer_columns, name="columns"),
    path("customers/export/", customer_list.customer_export, name="export"),
    path("customers/new/", customer_form.customer_add, name="add"),
    path("customers/deleted/", customer_form.customer_discarded, name="discarded"),
    path("customers/lookup/", customer_form.customer_lookup, name="lookup"),
    path("customers/<int:pk>/", customer.customer_detail, name="detail"),
    path("customers/<int:pk>/edit/", customer_form.customer_edit, name="edit"),
    path("customers/<int:pk>/discard/", customer_form.customer_discard, name="discard"),
    path("customers/<int:pk>/restore/", customer_form.customer_restore, name="restore"),
    path("customers/<int:pk>/history/", history.customer_history, name="history"),
    path("customers/<int:pk>/timeline/", timeline.timeline, name="timeline"),
    path("contacts/new/", contact.contact_add, name="contact-add"),
    path("contacts/<int:pk>/", contact.contact_detail, name="contact"),
    path("contacts/<int:pk>/edit/", contact.contact_edit, name="contact-edit"),
    path("contacts/<int:pk>/discard/", contact.contact_discard, name="contact-discard"),
    path("contacts/<int:pk>/consents/", contact.consent_give, name="consent-give"),
    path("contacts/<int:pk>/consents/<int:consent_pk>/withdraw/", contact.consent_withdraw, name="consent-withdraw"),
    path("contact-points/new/", contact_point.contact_point_add, name="contact-point-add"),
    path("contact-points/<int:pk>/correct/", contact_point.contact_point_correct, name="contact-point-correct"),
    path("imports/", import_run.import_list, name="imports"),
    path("imports/new/", import_run.import_add, name="import-add"),
    path("imports/<int:pk>/", import_run.import_detail, name="import"),
    path("imports/<int:pk>/columns/", import_run.import_columns, name="import-columns"),
    path("imports/<int:pk>/form/", import_run.import_reread, name="import-reread"),
    path("imports/<int:pk>/check/", import_run.import_check, name="import-check"),
    path("imports/<int:pk>/launch/", import_run.import_launch, name="import-launch"),
    path("imports/<int:pk>/cancellation/", import_run.import_cancel, name="import-cancel"),
    path("imports/<int:pk>/undoing/", import_run.import_undo, name="import-undo"),
    path("imports/<int:pk>/hints/", import_run.import_hint, name="import-hint"),
    path("imports/<int:pk>/problems.csv", import_run.import_problems, name="import-problems"),
]
