from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_import_rows_again")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="file",
            field=models.FileField(blank=True, db_default="", default="", max_length=200, upload_to="jobs/"),
        ),
    ]
