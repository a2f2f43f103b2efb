"""A stream of prices as an ad exchange tells them, one impression a line, and what it comes to.

A line is a price for a thousand impressions in 1/100 of the currency, so that one impression costs
ten micros times the number. One that cost nothing is no spend, and isn't sent.
"""

import gzip
import json
import random
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.load import press
from benchmarks.scene import Site

MICROS_OF_A_LINE = 10
LARGEST = 277
GENERATED_COUNT = 156_063
CALLERS = 2


@dataclass(frozen=True)
class PriceStream:
    """What each impression cost, in micros and in order."""

    prices: list[int]
    is_real: bool

    @property
    def total(self) -> Decimal:
        """What all of them cost."""
        return Decimal(sum(self.prices)) / 1_000_000


def read_prices(file: Path, most: int) -> PriceStream:
    """The stream in this file, or, where there is none, one of the same shape."""
    if file.is_file():
        with gzip.open(file, "rt") as lines:
            found = [int(line) * MICROS_OF_A_LINE for line in lines]
        return PriceStream(found[:most], is_real=True)
    chance = random.Random(2997)  # noqa: S311 (the same stream each time)
    generated = (min(int(chance.expovariate(1 / 55)), LARGEST) for _ in range(GENERATED_COUNT))
    return PriceStream([price * MICROS_OF_A_LINE for price in generated][:most], is_real=False)


def send_prices(stream: PriceStream, site: Site, *, campaign_id: int, batch: int) -> float:
    """Report the stream as spend of a fresh campaign; entries in a second.

    Each has an event id, as an import does it that may be sent again.
    """
    entries = [
        {
            "kind": "report",
            "campaign_id": campaign_id,
            "amount": f"{Decimal(price) / 1_000_000:f}",
            "event_id": f"{campaign_id}-{place:08}",
        }
        for place, price in enumerate(stream.prices)
        if price
    ]
    requests = [
        site.scene.request("/api/spend/batch/", {"entries": entries[start : start + batch]})
        for start in range(0, len(entries), batch)
    ]
    return len(entries) / press(site.server.port, requests, callers=CALLERS).seconds


def spend_of(campaign_id: int, site: Site) -> Decimal:
    """What the API says that a campaign has spent this month."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{site.server.port}/api/campaigns/{campaign_id}/",
        headers={"Authorization": f"Bearer {site.scene.token}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 (our own server)
        return Decimal(json.load(answer)["monthly_spend"])
