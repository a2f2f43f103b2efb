"""Makes the database itself refuse to change or delete an entry of the spend log (C24)."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

REFUSAL = "the spend log is append-only: correct an entry by a refund"

CREATE = {
    "sqlite": [
        f"""
        CREATE TRIGGER spend_log_refuses_{deed.lower()} BEFORE {deed} ON core_spendlog
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
        """
        for deed in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION refuse_spend_log_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
        """,
        """
        CREATE TRIGGER spend_log_refuses_change BEFORE UPDATE OR DELETE ON core_spendlog
        FOR EACH ROW EXECUTE FUNCTION refuse_spend_log_change()
        """,
        """
        CREATE TRIGGER spend_log_refuses_truncate BEFORE TRUNCATE ON core_spendlog
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_spend_log_change()
        """,
    ],
}
DROP = {
    "sqlite": [f"DROP TRIGGER spend_log_refuses_{deed}" for deed in ("update", "delete")],
    "postgresql": [
        "DROP TRIGGER spend_log_refuses_truncate ON core_spendlog",
        "DROP TRIGGER spend_log_refuses_change ON core_spendlog",
        "DROP FUNCTION refuse_spend_log_change()",
    ],
}


def create_triggers(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop_triggers(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunPython(create_triggers, drop_triggers, elidable=False)]
