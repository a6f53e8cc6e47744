from django.db import migrations

# Which of the history is about what once hung on a contact and has been removed: only the event that made it says so.
FORWARD = """
    CREATE INDEX CONCURRENTLY event_of_contact ON users_event ((changes #> '{contact,1}'))
    WHERE noun IN ('position', 'contact_method', 'address', 'consent')
"""
BACKWARD = "DROP INDEX CONCURRENTLY event_of_contact"


class Migration(migrations.Migration):
    atomic = False  # the history may be long, and is written to while the index is made
    dependencies = [("customers", "0007_job_file"), ("users", "0003_audit_and_user_indexes")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
