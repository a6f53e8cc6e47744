from django.db import migrations

# Statement triggers, so that a COPY of a million rows writes one note per customer and none per row. They live here and not
# in customers/, which knows nothing of values: the arrow of imports points down, and so does this one.
FACTS = {
    "customers_customer": "id",
    "customers_order": "customer_id",
    "customers_contract": "customer_id",
    "customers_invoice": "customer_id",
    "customers_contactpoint": "customer_id",
    "customers_payment": "(SELECT billed.customer_id FROM customers_invoice billed WHERE billed.id = invoice_id)",
}
FUNCTION = """
CREATE FUNCTION note_changed_facts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched text := CASE TG_OP
        WHEN 'UPDATE' THEN format('SELECT %1$s AS customer FROM old_rows UNION ALL SELECT %1$s FROM new_rows', TG_ARGV[0])
        ELSE format('SELECT %s AS customer FROM changed_rows', TG_ARGV[0])
    END;
BEGIN
    EXECUTE 'INSERT INTO segmentation_stale (customer_id) SELECT DISTINCT customer FROM (' || touched || ') AS touched WHERE customer IS NOT NULL';
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_rates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO segmentation_stale (customer_id)
    SELECT customer_id FROM customers_order WHERE currency IN (SELECT currency FROM changed_rows)
    UNION SELECT customer_id FROM customers_contract WHERE currency IN (SELECT currency FROM changed_rows)
    UNION SELECT customer_id FROM customers_invoice WHERE currency IN (SELECT currency FROM changed_rows);
    RETURN NULL;
END $$;
"""


def triggers(table: str, function: str, argument: str = "") -> str:
    call = f"EXECUTE FUNCTION {function}({argument})"
    return f"""
    CREATE TRIGGER note_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT {call};
    CREATE TRIGGER note_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT {call};
    """


def update_trigger(table: str, argument: str) -> str:
    return (
        f"CREATE TRIGGER note_update AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"
        f" FOR EACH STATEMENT EXECUTE FUNCTION note_changed_facts({argument});"
    )


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


FORWARD = (
    FUNCTION
    + "".join(
        triggers(table, "note_changed_facts", quoted(column)) + update_trigger(table, quoted(column)) for table, column in FACTS.items()
    )
    + triggers("customers_exchangerate", "note_changed_rates")
    + "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON segmentation_tierdecision FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();"
)
BACKWARD = (
    "DROP TRIGGER append_only ON segmentation_tierdecision;"
    + "".join(f"DROP TRIGGER note_{act} ON {table};" for table in FACTS for act in ("insert", "update", "delete"))
    + "".join(f"DROP TRIGGER note_{act} ON customers_exchangerate;" for act in ("insert", "delete"))
    + "DROP FUNCTION note_changed_facts(); DROP FUNCTION note_changed_rates();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("segmentation", "0001_value_engine"),
        ("customers", "0005_customer_of_country"),
        ("users", "0002_history_is_append_only"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
