"""Gives the rows that are older than versions their first one, and what past instants look up."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

from core.rules.instants import format_instant
from core.rules.money import format_optional_money

ACTOR = "migration:0004_first_versions"


def keep_first_versions(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    now = timezone.now()
    for owner, settings in (("Brand", brand_settings), ("Campaign", campaign_settings)):
        version = apps.get_model("core", f"{owner}Version")
        without = apps.get_model("core", owner).objects.filter(versions=None)
        for row in list(without.order_by("pk")):
            version.objects.create(
                **{owner.lower(): row},
                number=row.version,
                at=now,
                settings=settings(row),
                actor=ACTOR,
            )


def brand_settings(brand: Any) -> dict[str, Any]:
    return {
        "name": brand.name,
        "is_enabled": brand.is_enabled,
        "is_archived": brand.archived_at is not None,
        "currency": brand.currency,
        "daily_budget": format_optional_money(brand.daily_budget),
        "monthly_budget": format_optional_money(brand.monthly_budget),
        "time_zone": brand.time_zone,
        "previous_time_zone": brand.previous_time_zone,
        "time_zone_changes_at": format_instant(brand.time_zone_changes_at),
    }


def campaign_settings(campaign: Any) -> dict[str, Any]:
    return {
        "name": campaign.name,
        "is_enabled": campaign.is_enabled,
        "is_archived": campaign.archived_at is not None,
        "starts_at": format_instant(campaign.starts_at),
        "ends_at": format_instant(campaign.ends_at),
        "daily_budget": format_optional_money(campaign.daily_budget),
        "monthly_budget": format_optional_money(campaign.monthly_budget),
        "lifetime_budget": format_optional_money(campaign.lifetime_budget),
        "dayparts": [
            [
                [day for day in range(7) if row.weekdays >> day & 1],
                row.start_minute,
                row.end_minute,
            ]
            for row in campaign.dayparts.order_by("id")
        ],
    }


class Migration(migrations.Migration):
    dependencies = [("core", "0003_holds_versions_key_rotation")]
    operations = [
        migrations.AddIndex(
            model_name="spendlog",
            index=models.Index(fields=["brand", "recorded_at"], name="spend_of_brand_as_recorded"),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["brand", "expires_at"], name="hold_of_brand_by_expiry"),
        ),
        migrations.RunPython(keep_first_versions, migrations.RunPython.noop, elidable=False),
    ]
