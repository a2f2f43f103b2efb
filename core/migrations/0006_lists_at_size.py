"""Gives every list its indexes and every brand its counts, so that size slows neither."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Count, Q

import core.models.fields

# Each has an index of its own that another one begins with, or that hardly any entry needs.
FOREIGN_KEYS = ("brand", "campaign", "refund_of")
OVER_DAILY = Q(reasons__contains=",brand_daily_budget,")
OVER_DAILY |= Q(reasons__contains=",campaign_daily_budget,")
OVER_MONTHLY = Q(reasons__contains=",brand_monthly_budget,")
OVER_MONTHLY |= Q(reasons__contains=",campaign_monthly_budget,")

LOG_INDEXES = (
    models.Index(fields=["occurred_at", "id"], name="spend_by_instant"),
    models.Index(fields=["campaign", "occurred_at", "id"], name="spend_of_campaign_by_instant"),
    models.Index(fields=["brand", "occurred_at", "id"], name="spend_of_brand_by_instant"),
    models.Index(
        fields=["refund_of"], condition=Q(refund_of__isnull=False), name="spend_taken_back"
    ),
    models.Index(fields=["id"], condition=Q(kind="refund"), name="spend_refunds"),
    models.Index(fields=["id"], condition=Q(over_budget__gt=0), name="spend_over_budget"),
)
CAMPAIGN_INDEXES = (
    models.Index(core.models.fields.CodePoints("name"), "id", name="campaign_by_name"),
    models.Index(
        "brand", core.models.fields.CodePoints("name"), "id", name="campaign_of_brand_by_name"
    ),
    models.Index(fields=["status_since", "id"], name="campaign_by_status"),
    models.Index(fields=["brand", "status_since", "id"], name="campaign_of_brand_by_status"),
)


def drop_key_indexes(apps: StateApps, schema_editor: Any) -> None:
    """By hand: on SQLite Django would make the table anew, and its triggers would be gone (C24)."""
    model = apps.get_model("core", "SpendLog")
    kept = {index.name for index in model._meta.indexes}
    constraints = schema_editor.connection.introspection.get_constraints
    with schema_editor.connection.cursor() as cursor:
        found = constraints(cursor, model._meta.db_table)
    columns = [[f"{name}_id"] for name in FOREIGN_KEYS]
    for name, facts in found.items():
        if facts["index"] and facts["columns"] in columns and name not in kept:
            schema_editor.execute(schema_editor._delete_index_sql(model, name))


def create_key_indexes(apps: StateApps, schema_editor: Any) -> None:
    model = apps.get_model("core", "SpendLog")
    for name in FOREIGN_KEYS:
        field = model._meta.get_field(name)
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))


def count_campaigns(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    live = apps.get_model("core", "Campaign").objects.filter(archived_at=None).order_by()
    counts = apps.get_model("core", "CampaignCounts")
    counts.objects.bulk_create(
        counts(**row)
        for row in live.values("brand_id").annotate(
            campaign_count=Count("id"),
            active_count=Count("id", filter=Q(is_active=True)),
            over_daily_count=Count("id", filter=OVER_DAILY),
            over_monthly_count=Count("id", filter=OVER_MONTHLY),
        )
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0005_totals_by_period")]
    operations = [
        migrations.CreateModel(
            name="CampaignCounts",
            fields=[
                (
                    "brand",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="core.brand",
                    ),
                ),
                ("campaign_count", models.IntegerField(default=0)),
                ("active_count", models.IntegerField(default=0)),
                ("over_daily_count", models.IntegerField(default=0)),
                ("over_monthly_count", models.IntegerField(default=0)),
            ],
        ),
        migrations.RunPython(count_campaigns, migrations.RunPython.noop, elidable=False),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunPython(drop_key_indexes, create_key_indexes, elidable=False)
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="spendlog",
                    name="brand",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.brand",
                    ),
                ),
                migrations.AlterField(
                    model_name="spendlog",
                    name="campaign",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spend_logs",
                        to="core.campaign",
                    ),
                ),
                migrations.AlterField(
                    model_name="spendlog",
                    name="refund_of",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="core.spendlog",
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(model_name="spendlog", name="spend_by_instant"),
        migrations.RemoveConstraint(model_name="eventanswer", name="event_id_is_unique_per_source"),
        migrations.AddConstraint(
            model_name="eventanswer",
            constraint=models.UniqueConstraint(
                fields=["event_id", "source"], name="event_id_is_unique_per_source"
            ),
        ),
        *(migrations.AddIndex(model_name="spendlog", index=index) for index in LOG_INDEXES),
        *(migrations.AddIndex(model_name="campaign", index=index) for index in CAMPAIGN_INDEXES),
    ]
