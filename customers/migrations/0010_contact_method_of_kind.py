from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_customer_referred_by"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contactmethod",
            index=models.Index(fields=["kind", "-id"], name="contact_method_of_kind"),
        ),
    ]
