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
    ]
    + [
        # INSERT OR REPLACE deletes without asking the trigger above.
        f"""
        CREATE TRIGGER spend_log_refuses_replace BEFORE INSERT ON core_spendlog
        WHEN EXISTS (SELECT 1 FROM core_spendlog WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
        """  # noqa: S608 (nothing in it comes from outside)
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
    "sqlite": [
        f"DROP TRIGGER spend_log_refuses_{deed}" for deed in ("update", "delete", "replace")
    ],
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
