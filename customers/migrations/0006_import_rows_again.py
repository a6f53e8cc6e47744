from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_customer_of_country")]

    operations = [
        migrations.AddField(
            model_name="importproblem",
            name="again_in",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=models.deletion.SET_NULL, related_name="taken_up", to="customers.importrun"
            ),
        ),
        migrations.AddIndex(
            model_name="importproblem",
            index=models.Index(condition=models.Q(("again_in__isnull", False)), fields=["again_in"], name="import_problem_again"),
        ),
    ]
