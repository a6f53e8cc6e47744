from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_customer_of_country"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contactmethod",
            index=models.Index(fields=["kind", "-id"], name="contact_method_of_kind"),
        ),
    ]
