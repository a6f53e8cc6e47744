"""The map of the customer pages."""

from django.urls import path

from customers.views import customer, customer_list

app_name = "customers"

urlpatterns = [
    path("customers/", customer_list.customer_list, name="list"),
    path("customers/columns/", customer_list.customer_columns, name="columns"),
    path("customers/<int:pk>/", customer.customer_detail, name="detail"),
]
