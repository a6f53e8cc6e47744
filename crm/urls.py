"""Which app owns which prefix."""

from django.urls import include, path

from crm import views
from crm.style_guide import style_guide
from customers.views.home import home
from users.preferences import quick_preferences

handler500 = "crm.errors.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("", include("customers.urls")),
    path("", include("segmentation.urls")),
    path("account/preferences", quick_preferences, name="quick-preferences"),
    path("style/", style_guide, name="style-guide"),
    path("healthz", views.healthz, name="healthz"),
    path("account/email/", views.not_here, name="account_email"),  # addresses are given by an administrator
    path("account/", include("allauth.urls")),
    path("api/", include("crm.api")),
    path("", include("users.urls")),
]
