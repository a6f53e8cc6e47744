from django.urls import include, path

from crm.bench._minimal import one_row

handler500 = "crm.errors.server_error"
urlpatterns = [path("bench/row/<int:pk>", one_row), path("", include("crm.urls"))]
