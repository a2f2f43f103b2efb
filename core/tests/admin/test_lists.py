"""What the lists and pages show, and that it costs the same however many rows there are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from freezegun import freeze_time

from core.actions.campaigns import pause_campaign
from core.actions.delivery import record_task_run
from core.models import Campaign, Hold, SpendLog, Transition
from core.rules.dayparts import Daypart
from core.tests.admin.browser import add_page, list_page, page, rows_of, text_of
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    capture,
    hold,
    make_brand,
    make_campaign,
    report,
    transitions_of,
)

EVERYTHING = ("brand", "campaign", "spendlog", "hold", "transition", "apikey", "taskrun")


def row_of(response: Any, name: str) -> str:
    """The text of one row of a list."""
    text = text_of(response)
    return next(part for part in text.split("<tr>") if f">{name}</a>" in part)


def queries_for(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_today_is_the_brands_own_running_day(ann: Client) -> None:
    """C9: 2 a.m. UTC is still yesterday evening in Los Angeles."""
    night = datetime(2026, 6, 11, 2, tzinfo=UTC)
    for name, zone in (("West", "America/Los_Angeles"), ("Greenwich", "UTC")):
        brand = make_brand(name=name, time_zone=zone, daily_budget=Decimal(50))
        campaign = make_campaign(brand, name=f"{name} one")
        add(campaign, "12.34567", now=NOON)
        add(campaign, "5", now=night)

    with freeze_time(night):
        ann.force_login(User.objects.get())  # The session of noon is over.
        listed = ann.get(list_page("brand"))
        campaigns = ann.get(list_page("campaign"))

    assert "17.34567" in row_of(listed, "West")
    assert ">32.65433<" in row_of(listed, "West"), "remaining today"
    assert ">5.00<" in row_of(listed, "Greenwich")
    assert ">45.00<" in row_of(listed, "Greenwich"), "remaining today"
    assert ">17.34567<" in row_of(listed, "Greenwich"), "spent this month"
    assert ">5.00<" in row_of(campaigns, "Greenwich one")
    assert ">17.34567<" in row_of(campaigns, "West one")


def test_a_brands_list_says_how_many_campaigns_run_and_links_to_them(ann: Client) -> None:
    brand = make_brand(name="Acme")
    make_campaign(brand), make_campaign(brand), make_campaign(brand, is_enabled=False)

    row = row_of(ann.get(list_page("brand")), "Acme")

    assert f'?brand__id__exact={brand.pk}">2</a>' in row
    assert "no limit" in row


@pytest.mark.parametrize(
    ("brand_daily", "own", "left"),
    [
        (Decimal(100), {}, "60.00"),
        (Decimal(100), {"daily_budget": Decimal(50)}, "40.00"),
        (Decimal(100), {"monthly_budget": Decimal(45)}, "35.00"),
        (None, {"lifetime_budget": Decimal("10.000001")}, "0.000001"),
        (None, {"lifetime_budget": Decimal(3)}, "0.00"),
        (None, {}, "no limit"),
    ],
)
def test_what_remains_of_a_campaign_is_what_the_tightest_budget_leaves(
    ann: Client, brand_daily: Decimal | None, own: Any, left: str
) -> None:
    """C4: 10 of the campaign and 30 of its neighbour."""
    brand = make_brand(daily_budget=brand_daily)
    report(make_campaign(brand, name="One", **own), "10")
    report(make_campaign(brand, name="Two"), "30")

    assert f'field-remaining">{left}<' in row_of(ann.get(list_page("campaign")), "One")


def test_the_campaign_list_says_why_in_words_and_filters_by_reason(ann: Client) -> None:
    brand = make_brand(daily_budget=Decimal(10))
    full = make_campaign(brand, name="Full", schedule=[Daypart((5,), 0, 60)])
    report(full, "10")
    make_campaign(name="Running")

    listed = ann.get(list_page("campaign"))
    by_second_reason = ann.get(list_page("campaign"), {"reason": "brand_daily_budget"})

    row = row_of(listed, "Full")
    assert "It is outside the campaign&#x27;s schedule." in row
    assert "The brand&#x27;s daily budget is used up." in row
    assert "2026-06-11 00:00:00" in row, "the next change, in UTC"
    assert rows_of(by_second_reason) == ["Full"]
    assert rows_of(ann.get(list_page("campaign"), {"reason": "ended"})) == []
    assert rows_of(ann.get(list_page("campaign"), {"is_active__exact": "1"})) == ["Running"]


def test_the_campaign_page_says_how_things_stand_with_numbers(ann: Client) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10), currency="EUR"))
    add(campaign, "10")

    text = text_of(ann.get(page("campaign", campaign.pk)))

    assert "10.00 spent and 0.00 held of 10.00" in text
    assert "that ends at 2026-06-11T00:00:00Z" in text
    assert "Budget (EUR)" in text
    assert f"{list_page('transition')}?campaign__id__exact={campaign.pk}" in text
    assert "paused (spend, test:ann)" in text


def test_what_was_caught_up_with_says_so_in_the_list_and_on_both_pages_c26(ann: Client) -> None:
    campaign = make_campaign(ends_at=NOON + timedelta(hours=1))
    pause_campaign(campaign.pk, caller=CALLER, now=NOON + timedelta(hours=3))
    _, ended = transitions_of(campaign)
    listed = ann.get(list_page("transition"))

    assert '"field-caught_up">2026-06-10 15:00:00<' in row_of(listed, "2026-06-10 13:00:00")
    assert '"field-caught_up">–<' in row_of(listed, "2026-06-10 12:00:00")
    assert "Caught up (UTC)" in text_of(ann.get(page("transition", ended.pk)))
    assert "(time, clock, caught up 2026-06-10 15:00:00 UTC)" in text_of(
        ann.get(page("campaign", campaign.pk))
    )


def test_the_links_of_the_campaign_page_lead_to_its_own_records(ann: Client) -> None:
    campaign, other = make_campaign(), make_campaign()
    add(campaign, "1"), add(other, "2")

    spent = ann.get(list_page("spendlog"), {"campaign__id__exact": campaign.pk})
    changed = ann.get(list_page("transition"), {"campaign__id__exact": campaign.pk})

    assert [log.campaign_id for log in spent.context["cl"].result_list] == [campaign.pk]
    assert list(changed.context["cl"].result_list) == transitions_of(campaign)


@pytest.mark.parametrize("kind", ["brand", "campaign", "spendlog", "hold", "transition"])
def test_a_list_costs_the_same_queries_for_3_and_for_30_rows(ann: Client, kind: str) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            brand = make_brand(daily_budget=Decimal(5), monthly_budget=Decimal(50))
            campaign = make_campaign(brand, schedule=[Daypart((2,), 0, 1440)])
            capture(hold(campaign, "1"))
            report(campaign, "5.5")

    fill(3)
    few = queries_for(ann, list_page(kind))
    fill(27)

    assert queries_for(ann, list_page(kind)) == few
    assert few <= 12


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        ("brand", {"is_enabled__exact": "1", "currency": "USD", "time_zone": "UTC", "q": "bra"}),
        ("campaign", {"is_enabled__exact": "1", "q": "camp", "created_at__year": "2026"}),
        ("spendlog", {"kind__exact": "report", "over_budget": "yes", "q": "bra"}),
        ("hold", {"state__exact": "captured", "q": "bra"}),
        ("transition", {"cause__exact": "spend", "reason": "brand_daily_budget", "q": "camp"}),
    ],
)
def test_filters_and_search_work_together(ann: Client, kind: str, filters: dict[str, str]) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(5)))
    capture(hold(campaign, "1"))
    report(campaign, "7")

    assert len(rows_of(ann.get(list_page(kind), filters))) == 1
    assert rows_of(ann.get(list_page(kind), {**filters, "q": "nobody"})) == []


@pytest.mark.parametrize("column", range(1, 13))
def test_every_heading_of_the_campaign_list_sorts(ann: Client, column: int) -> None:
    make_campaign(), make_campaign()

    assert len(rows_of(ann.get(list_page("campaign"), {"o": f"-{column}"}))) == 2


def test_the_records_can_be_looked_at_and_changed_by_nobody(ann: Client) -> None:
    """C24: not even by a superuser."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(5)))
    report(campaign, "7.5", event_id="order-7")
    record_task_run("core.check_budgets", {"paused": 2}, now=NOON)
    log, transition = SpendLog.objects.get(), transitions_of(campaign)[-1]

    listed = text_of(ann.get(list_page("spendlog")))
    assert "7.50" in listed
    assert "2.50" in listed, "the part over budget"
    assert "order-7" in listed
    assert "order-7" in text_of(ann.get(page("spendlog", log.pk)))
    assert "7.50 spent and 0.00 held of 5.00" in text_of(ann.get(page("transition", transition.pk)))
    assert "2 paused" in text_of(ann.get(list_page("taskrun")))
    for kind, pk in (("spendlog", log.pk), ("transition", transition.pk)):
        assert ann.get(add_page(kind)).status_code == 403
        assert ann.post(page(kind, pk), {"source": "me"}).status_code == 403
        assert ann.post(page(kind, pk, view="delete"), {"post": "yes"}).status_code == 403
        ann.post(list_page(kind), {"action": "delete_selected", "_selected_action": pk})
    assert ann.get(add_page("taskrun")).status_code == 403
    assert (SpendLog.objects.count(), Transition.objects.count()) == (1, 2)


def test_a_hold_shows_what_became_of_it_and_is_changed_by_nobody(ann: Client) -> None:
    campaign = make_campaign()
    taken = hold(campaign, "7.5", event_id="bid-7")
    capture(taken, "2.25")
    kept = Hold.objects.get()

    listed = text_of(ann.get(list_page("hold")))
    assert "7.50" in listed
    assert "2.25" in listed
    assert "captured" in listed
    assert "bid-7" in text_of(ann.get(page("hold", kept.pk)))
    assert ann.get(add_page("hold")).status_code == 403
    assert ann.post(page("hold", kept.pk), {"state": "open"}).status_code == 403
    assert ann.post(page("hold", kept.pk, view="delete"), {"post": "yes"}).status_code == 403


def test_the_front_page_lists_everything_under_the_projects_name(ann: Client) -> None:
    text = text_of(ann.get("/admin/"))

    assert "Budget Manager</a>" in text
    for kind in EVERYTHING:
        assert list_page(kind) in text


def test_a_brand_that_moves_says_which_zone_counts_until_when(ann: Client) -> None:
    """C12."""
    brand = make_brand(time_zone="Europe/Berlin", now=NOON - timedelta(days=9))
    address = page("brand", brand.pk)
    fields = {"name": brand.name, "is_enabled": "on", "currency": "USD", "time_zone": "Asia/Tokyo"}

    ann.post(address, fields)

    assert "Europe/Berlin until 2026-06-10 22:00:00 UTC, Asia/Tokyo from then on" in text_of(
        ann.get(address)
    )


def test_the_periodic_tasks_of_beat_stay_usable(ann: Client) -> None:
    for kind in ("periodictask", "intervalschedule", "crontabschedule"):
        assert ann.get(f"/admin/django_celery_beat/{kind}/").status_code == 200
        assert ann.get(f"/admin/django_celery_beat/{kind}/add/").status_code == 200


def test_an_address_of_nothing_leads_back_with_a_message_and_not_to_a_fault(ann: Client) -> None:
    for kind in ("brand", "campaign"):
        for number in (4711, "abc"):
            answer = ann.get(f"{list_page(kind)}{number}/change/")
            assert answer.status_code == 302
    assert not Campaign.objects.exists()
