"""Who spends: one hot brand and many more, with budgets that nothing uses up, and a caller's key.

`python -m benchmarks.scene` makes them in the empty database that DATABASE_URL names and prints
how to call, as JSON. PostgreSQL makes the many brands by copying the first.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from benchmarks.hand_written import CAMPAIGN_COUNT
from benchmarks.load import post
from benchmarks.many_campaigns import FILLER, copy_rows
from benchmarks.web import WebServer
from core.actions.api_keys import create_api_key
from core.actions.brands import create_brand
from core.actions.campaigns import create_campaign
from core.enums import Scope
from core.models import Brand, Campaign

# Every place where a budget can be has one (C3, C4).
AMPLE = Decimal(10**9)
PRICE = "0.00032"
CURRENCY = "CNY"


@dataclass(frozen=True)
class Scene:
    """Who may call, and for which campaigns."""

    token: str
    hot: list[int]
    scattered: list[int]
    fresh: list[int]

    def spends(self, campaign_ids: list[int]) -> list[bytes]:
        """One single spend for each campaign."""
        documents: Iterator[dict[str, object]] = (
            {"campaign_id": campaign_id, "amount": PRICE} for campaign_id in campaign_ids
        )
        return [self.request("/api/spend/add/", document) for document in documents]

    def request(self, path: str, document: Mapping[str, object]) -> bytes:
        """A call with the scene's key."""
        return post(path, json.dumps(document).encode(), self.token)


@dataclass(frozen=True)
class Site:
    """A server, and who may call it."""

    server: WebServer
    scene: Scene


def make_scene(environment: Mapping[str, str], *, brand_count: int, fresh_count: int) -> Scene:
    """Make the scene in that environment's database."""
    words = ["--brands", str(brand_count), "--fresh", str(fresh_count)]
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-m", "benchmarks.scene", *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Scene(**json.loads(done.stdout))


def main(words: list[str]) -> int:
    """Make the scene in this process's database and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scene", description=__doc__)
    parser.add_argument("--brands", type=int, required=True)
    parser.add_argument("--fresh", type=int, required=True)
    asked = parser.parse_args(words)
    call_command("migrate", verbosity=0)
    now = timezone.now()
    _, token = create_api_key(FILLER.source, scopes={Scope.SPEND, Scope.READ}, now=now)
    hot = _make_brand("Hot brand", CAMPAIGN_COUNT, now)
    fresh = _make_brand("Brand of the price stream", asked.fresh, now)
    scene = Scene(token, hot, _scatter(asked.brands, now), fresh)
    sys.stdout.write(json.dumps(asdict(scene)))
    return 0


def _make_brand(name: str, campaign_count: int, now: datetime) -> list[int]:
    """A brand; the ids of its campaigns."""
    brand = create_brand(
        {
            "name": name,
            "currency": CURRENCY,
            "daily_budget": AMPLE,
            "monthly_budget": AMPLE,
        },
        caller=FILLER,
        now=now,
    )
    campaigns = (
        create_campaign(
            brand.pk,
            {
                "name": f"Campaign {number} of the {name.lower()}",
                "daily_budget": AMPLE,
                "monthly_budget": AMPLE,
                "lifetime_budget": AMPLE,
            },
            caller=FILLER,
            now=now,
        )
        for number in range(campaign_count)
    )
    return [campaign.pk for campaign in campaigns]


def _scatter(brand_count: int, now: datetime) -> list[int]:
    """So many brands with one campaign each; the ids of the campaigns."""
    if not brand_count:
        return []
    first = Campaign.objects.get(pk=_make_brand("One of many", 1, now)[0])
    numbers = "generate_series(2, %s) AS number WHERE template.id = %s"
    named = {"name": "template.name || ' ' || number"}
    copy_rows(Brand, numbers, [brand_count, first.brand_id], named)
    others = "core_brand AS copy WHERE template.id = %s AND copy.id > %s"
    copy_rows(Campaign, others, [first.pk, first.brand_id], {"brand_id": "copy.id"})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    ids = Campaign.objects.filter(pk__gte=first.pk).order_by("id").values_list("id", flat=True)
    return list(ids)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
