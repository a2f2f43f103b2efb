"""Spares every admission a look through a brand's campaigns, and every entry a foreign key."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.state import StateApps


def drop_brand_key(apps: StateApps, schema_editor: Any) -> None:
    """By hand: SQLite keeps the key, since Django would make the table anew there (C24)."""
    if schema_editor.connection.vendor == "postgresql":
        model = apps.get_model("core", "SpendLog")
        (name,) = schema_editor._constraint_names(model, ["brand_id"], foreign_key=True)
        schema_editor.execute(schema_editor._delete_fk_sql(model, name))


def create_brand_key(apps: StateApps, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        model = apps.get_model("core", "SpendLog")
        field = model._meta.get_field("brand")
        suffix = "_fk_%(to_table)s_%(to_column)s"
        schema_editor.execute(schema_editor._create_fk_sql(model, field, suffix))


class Migration(migrations.Migration):
    dependencies = [("core", "0006_lists_at_size")]
    operations = [
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                fields=["brand", "next_change_at"],
                condition=models.Q(next_change_at__isnull=False),
                name="campaign_of_brand_by_change",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunPython(drop_brand_key, create_brand_key, elidable=False)
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="spendlog",
                    name="brand",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.brand",
                    ),
                )
            ],
        ),
    ]
