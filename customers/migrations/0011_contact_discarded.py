"""Deleted contacts in the order of their page, the latest first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_contact_method_of_kind")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(condition=models.Q(("deleted_at__isnull", False)), fields=["-deleted_at", "-id"], name="contact_discarded"),
        ),
    ]
