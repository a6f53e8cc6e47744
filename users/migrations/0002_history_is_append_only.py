from django.db import migrations

# One function for every append-only table. The setting is for the few acts that may rewrite the past, each for its own
# transaction (SET LOCAL): the erasure of a person's data and the undoing of an import.
FORWARD = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('pareto.rewriting', true), '') <> '' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON users_event FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
"""
BACKWARD = "DROP TRIGGER append_only ON users_event; DROP FUNCTION refuse_rewriting();"


class Migration(migrations.Migration):
    dependencies = [("users", "0001_users_and_access")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
