"""The campaign page shows the next two weeks and what looks wrong with the settings (C13)."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from freezegun import freeze_time

from core.actions.campaigns import archive_campaign
from core.models import Campaign
from core.rules.dayparts import Daypart
from core.tests.admin.browser import add_page, page, text_of
from core.tests.builders import CALLER, NOON, everything_stored, make_brand, make_campaign

HEADING = "The next 14 days in"
AT_TWO = Daypart((6,), 135, 165)


def table_of(client: Client, campaign: Campaign) -> list[list[str]]:
    """The box's rows as text."""
    box = text_of(client.get(page("campaign", campaign.pk))).partition(HEADING)[2]
    rows = re.findall(r"<tr>(.*?)</tr>", box.partition("</table>")[0], re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows[1:]]
    return [[" ".join(re.sub(r"<.*?>", " ", cell).split()) for cell in row] for row in cells]


def test_each_day_is_shown_by_both_clocks(ann: Client) -> None:
    brand = make_brand(time_zone="America/New_York")
    campaign = make_campaign(
        brand,
        schedule=[Daypart((2, 3), 20 * 60, 120)],
        ends_at=datetime(2026, 6, 12, 5, 0, 30, tzinfo=UTC),
    )
    rows = table_of(ann, campaign)
    assert len(rows) == 14
    assert rows[:4] == [
        ["Wed 2026-06-10", "24 h", "20:00 – 24:00", "2026-06-11 00:00 – 04:00"],
        [
            "Thu 2026-06-11",
            "24 h",
            "00:00 – 02:00 20:00 – 24:00",
            "2026-06-11 04:00 – 06:00 2026-06-12 00:00 – 04:00",
        ],
        ["Fri 2026-06-12", "24 h", "00:00 – 01:00:30", "2026-06-12 04:00 – 05:00:30"],
        ["Sat 2026-06-13", "24 h", "Closed", ""],
    ]


@pytest.mark.parametrize(
    ("at", "row"),
    [
        (
            "2026-10-24T12:00:00Z",
            [
                "Sun 2026-10-25",
                "25 h · clock change",
                "02:15 (+02:00) – 02:45 (+02:00) 02:15 (+01:00) – 02:45 (+01:00) "
                "The clock opens the window 02:15–02:45 twice, for 1 h 00 min together",
                "2026-10-25 00:15 – 00:45 2026-10-25 01:15 – 01:45",
            ],
        ),
        (
            "2026-03-28T12:00:00Z",
            [
                "Sun 2026-03-29",
                "23 h · clock change",
                "Closed The clock skips the window 02:15–02:45",
                "",
            ],
        ),
    ],
)
def test_a_day_in_which_clocks_jump_is_marked(ann: Client, at: str, row: list[str]) -> None:
    campaign = make_campaign(make_brand(time_zone="Europe/Berlin"), schedule=[AT_TWO])
    with freeze_time(at):
        ann.force_login(User.objects.get())  # Months later the session of noon is over.
        rows = table_of(ann, campaign)
    assert rows[1] == row
    assert "clock change" not in rows[0][1] + rows[2][1]


def test_warnings_stand_above_the_days_and_nothing_is_written(ann: Client) -> None:
    brand = make_brand(daily_budget=Decimal(10))
    sound = make_campaign(brand, daily_budget=Decimal(10))
    odd = make_campaign(brand, daily_budget=Decimal(20))
    before = everything_stored()
    above = text_of(ann.get(page("campaign", odd.pk))).partition(HEADING)[0]
    warning = "The own daily budget, 20.00, is above the brand&#x27;s, 10.00"
    assert warning in above
    assert "messagelist" not in text_of(ann.get(page("campaign", sound.pk)))
    assert everything_stored() == before


def test_who_may_only_look_sees_it_too(bob: Client) -> None:
    assert len(table_of(bob, make_campaign())) == 14


def test_a_new_or_archived_campaign_has_no_days_to_come(ann: Client) -> None:
    campaign = make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON + timedelta(minutes=1))
    assert HEADING not in text_of(ann.get(page("campaign", campaign.pk)))
    assert HEADING not in text_of(ann.get(add_page("campaign")))
