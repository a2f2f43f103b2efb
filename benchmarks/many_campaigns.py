"""Fills an empty PostgreSQL with brands and campaigns at noon of one day, all verdicts right.

A few are made by the actions themselves; the rest are copies of their rows, one statement a table.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, Model

from core.actions.brands import create_brand
from core.actions.caller import Caller
from core.actions.campaigns import create_campaign
from core.actions.spend import add_spend
from core.actions.spend_requests import SpendRequest
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Schedule
from core.models.sql import long_statements
from core.rules.dayparts import Daypart

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)  # a Wednesday
FILLER = Caller("benchmark")
# Places where it is between 06:00 and 23:00 at this noon.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo")
# Half of the campaigns have a daypart, and so an edge to come.
SCHEDULES: tuple[list[Daypart], ...] = ([], [Daypart(tuple(range(7)), 6 * 60, 23 * 60)])

Say = Callable[[str], None]


def fill(campaign_count: int, brand_count: int, say: Say) -> None:
    """Make so many campaigns in so many brands; each has spent today, this month and before.

    The zones share the brands evenly, and the brands and schedules the campaigns.
    """
    each = campaign_count // brand_count // len(SCHEDULES)
    with long_statements(), connection.cursor() as cursor:
        for number, zone in enumerate(ZONES, start=1):
            _fill_zone(zone, brand_count // len(ZONES), each)
            say(f"filled {zone}: {campaign_count * number // len(ZONES):,} of {campaign_count:,}")
        cursor.execute("VACUUM ANALYZE")
        # A checkpoint that the filling caused would be measured with what follows.
        cursor.execute("CHECKPOINT")


def _fill_zone(zone: str, brands: int, each: int) -> None:
    brand = create_brand(
        {
            "name": f"Brand in {zone}",
            "time_zone": zone,
            "daily_budget": Decimal(1_000),
            "monthly_budget": Decimal(30_000),
        },
        caller=FILLER,
        now=NOON,
    )
    patterns = [_make_pattern(brand, number) for number in range(len(SCHEDULES))]
    numbers = "generate_series(2, %s) AS number WHERE template.id = %s"
    name = {"name": "template.name || ' ' || number"}
    copy_rows(Brand, numbers, [brands, brand.pk], name)
    others = "core_brand AS copy WHERE template.brand_id = %s AND copy.id > %s"
    copy_rows(BrandTotal, others, [brand.pk, brand.pk], {"brand_id": "copy.id"})
    for pattern in patterns:
        _copy_campaign(pattern, each)


def _make_pattern(brand: Brand, number: int) -> Campaign:
    campaign = create_campaign(
        brand.pk,
        {
            "name": f"Campaign {number}",
            "daily_budget": Decimal(100),
            "monthly_budget": Decimal(3_000),
            "lifetime_budget": Decimal(50_000),
            "schedule": SCHEDULES[number],
        },
        caller=FILLER,
        now=NOON,
    )
    add_spend(SpendRequest(campaign.pk, Decimal(5)), caller=FILLER, now=NOON).accepted()
    campaign.refresh_from_db()
    return campaign


def _copy_campaign(pattern: Campaign, each: int) -> None:
    last = Campaign.objects.aggregate(last=Max("id"))["last"]
    copy_rows(
        Campaign,
        "core_brand AS brand CROSS JOIN generate_series(1, %s) AS number "
        "WHERE template.id = %s AND brand.id >= %s AND (brand.id, number) <> (%s, 1)",
        [each, pattern.pk, pattern.brand_id, pattern.brand_id],
        {"name": "template.name || ' ' || number", "brand_id": "brand.id"},
    )
    copies = "core_campaign AS copy WHERE template.campaign_id = %s AND copy.id > %s"
    for model in (Schedule, CampaignTotal):
        copy_rows(model, copies, [pattern.pk, last], {"campaign_id": "copy.id"})


def copy_rows(
    model: type[Model], source: str, parameters: Sequence[Any], changed: Mapping[str, str]
) -> None:
    """Copy the row that `source` names as `template` once for each row of `source`."""
    columns = [
        field.get_attname() for field in model._meta.concrete_fields if not field.primary_key
    ]
    values = ", ".join(changed.get(column, f"template.{column}") for column in columns)
    table = model._meta.db_table
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 (names of our own)
        f"SELECT {values} FROM {table} AS template CROSS JOIN {source}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
