from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Pareto CRM"


class OurStaticFilesConfig(StaticFilesConfig):
    """Leaves out what packages bring and no page of ours loads: 30 MB that would be hashed and compressed at each start."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "redoc",
        "stoplight*",
        "elements",
        "rest_framework",
        "django_htmx",
    ]
