from django.db import migrations

# Numbers hardly get smaller by it, and a run writes and reads them several times.
FORWARD = "ALTER TABLE segmentation_runshard ALTER COLUMN arrays SET STORAGE EXTERNAL"
BACKWARD = "ALTER TABLE segmentation_runshard ALTER COLUMN arrays SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [("segmentation", "0002_notes_of_changed_facts")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
