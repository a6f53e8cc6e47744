"""Which app owns which prefix."""

from django.urls import include, path

from crm import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("account/", include("allauth.urls")),
]
