from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("Users and access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from users import receivers  # noqa: F401 (they connect themselves)
