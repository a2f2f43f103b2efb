"""`import_spend` records a file of spend as reports (C19), each line once (C21)."""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Sum

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign
from core.enums import PeriodKind, SpendKind
from core.models import Brand, BrandTotal, Campaign, SpendLog
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    spent,
)
from core.tests.commands.importing import (
    ADS,
    ADS_COLUMNS,
    COLUMNS,
    fact,
    import_ads,
    import_lines,
    import_text,
)
from core.tests.commands.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def recorded_sum() -> Decimal:
    found: Decimal | None = SpendLog.objects.aggregate(sum=Sum("amount"))["sum"]
    return found or Decimal(0)


def test_the_totals_equal_the_sum_of_the_file_to_the_micro(brand: Brand) -> None:
    ran = import_ads("--round-to", "2", "--create-campaigns")

    assert (ran.status, ran.err) == (0, "")
    assert recorded_sum() == Decimal("645.74")
    assert spent(brand, PeriodKind.MONTH, TODAY.replace(day=1)) == Decimal("645.74")
    days = BrandTotal.objects.filter(period=PeriodKind.DAY).order_by("starts_on")
    assert list(days.values_list("spent", flat=True)) == [
        Decimal("3.25"),
        Decimal("2.54"),
        Decimal("639.95"),
    ]
    assert set(Campaign.objects.values_list("name", flat=True)) == {"916", "936", "1178"}


def test_it_says_what_became_of_every_line_and_of_every_micro(brand: Brand) -> None:
    ran = import_ads("--round-to", "2", "--create-campaigns")

    assert fact(ran, "lines read") == "7"
    assert fact(ran, "recorded") == "5"
    assert fact(ran, "already there") == "0"
    assert fact(ran, "spent nothing") == "2"
    assert fact(ran, "refused") == "0"
    assert fact(ran, "rounded") == "5 (+0.000001567 in all)"
    assert fact(ran, "sum in file") == "645.739998433"
    assert fact(ran, "sum recorded") == "645.74 (645.74 this run, 0.00 earlier)"
    assert fact(ran, "over budget") == "0.00"


def test_running_it_again_adds_nothing(brand: Brand) -> None:
    import_ads("--round-to", "2", "--create-campaigns")
    before = everything_stored()

    ran = import_ads("--round-to", "2", "--create-campaigns")

    assert everything_stored() == before
    assert ran.status == 0
    assert (fact(ran, "recorded"), fact(ran, "already there")) == ("0", "5")
    assert fact(ran, "sum recorded") == "645.74 (0.00 this run, 645.74 earlier)"


def test_running_it_again_adds_nothing_by_the_ids_of_the_file_either(brand: Brand) -> None:
    options = ("--round-to", "2", "--create-campaigns", "--column", "event_id=ad_id")
    import_ads(*options)
    before = everything_stored()

    assert import_ads(*options).status == 0
    assert everything_stored() == before
    assert set(SpendLog.objects.values_list("event_id", flat=True)) == {
        *("708746", "708749", "708815", "708818", "708820"),
    }


def test_entries_are_reports_of_the_first_instant_of_their_budget_day() -> None:
    brand = make_brand(name="Social Ads", time_zone="Europe/Berlin")
    make_campaign(brand, name="936")

    run("import_spend", str(ADS), "--brand", str(brand.pk), *ADS_COLUMNS, "--round-to", "6")

    entry = SpendLog.objects.order_by("id")[0]
    assert (entry.kind, entry.source) == (SpendKind.REPORT, f"import:{brand.pk}")
    assert entry.budget_day.isoformat() == "2026-06-09"
    assert entry.occurred_at.isoformat() == "2026-06-08T22:00:00+00:00"
    assert entry.recorded_at == NOON


def test_a_seventh_decimal_is_refused_line_by_line_and_the_rest_goes_in(brand: Brand) -> None:
    ran = import_ads("--create-campaigns")

    assert ran.status == 1
    assert ran.err.splitlines() == [
        "line 2: amount: has more than six decimals: 1.429999948; pass --round-to 2 to round",
        "line 3: amount: has more than six decimals: 1.820000023; pass --round-to 2 to round",
        "line 6: amount: has more than six decimals: 1.289999962; pass --round-to 2 to round",
        "line 7: amount: has more than six decimals: 639.9499981; pass --round-to 2 to round",
        "line 8: amount: has more than six decimals: 0.0000004; pass --round-to 2 to round",
    ]
    assert recorded_sum() == Decimal("1.25")
    assert fact(ran, "refused") == "5"
    assert fact(ran, "sum in file") == "645.739998433"
    assert fact(ran, "sum refused") == "644.489998433"


def test_refused_lines_go_in_once_the_operator_allows_rounding(brand: Brand) -> None:
    import_ads("--create-campaigns")

    ran = import_ads("--create-campaigns", "--round-to", "2")

    assert ran.status == 0
    assert recorded_sum() == Decimal("645.74")
    assert fact(ran, "sum recorded") == "645.74 (644.49 this run, 1.25 earlier)"


def test_another_rounding_counts_no_line_twice(brand: Brand) -> None:
    import_ads("--create-campaigns", "--round-to", "2")

    ran = import_ads("--create-campaigns", "--round-to", "1")

    assert recorded_sum() == Decimal("645.74")
    assert ran.status == 1
    assert "was imported before with other content" in ran.err


def test_spend_that_no_budget_covers_is_recorded_and_labelled() -> None:
    brand = make_brand(name="Social Ads", daily_budget=Decimal(600))
    campaign = make_campaign(brand, name="1178")

    ran = import_ads("--create-campaigns", "--round-to", "2")

    assert recorded_sum() == Decimal("645.74")
    assert fact(ran, "over budget") == "39.95"
    assert not fresh(campaign).is_active
    assert fact(import_ads("--round-to", "2"), "over budget") == "39.95"


def test_spend_older_than_the_limit_says_which_option_lets_it_in(
    brand: Brand, tmp_path: Path
) -> None:
    make_campaign(brand, name="x")

    ran = import_lines(tmp_path, "x,1,2026-06-07", "x,2,2026-06-08")

    assert ran.status == 1
    assert ran.err == "line 2: spent more than 72 hours ago; pass --late-hours 85 to import it\n"
    assert recorded_sum() == Decimal(2)
    assert (
        import_text(tmp_path, "c,a,d\nx,1,2026-06-07\n", *COLUMNS, "--late-hours", "84").status == 0
    )


def test_spend_of_the_future_is_refused(brand: Brand, tmp_path: Path) -> None:
    make_campaign(brand, name="x")

    ran = import_lines(tmp_path, "x,1,2026-06-11")

    assert ran.status == 1
    assert "line 2: occurred_at: is more than 5 minutes in the future" in ran.err


def test_lines_that_were_imported_stay_known_when_they_are_too_old_to_import(
    brand: Brand, tmp_path: Path
) -> None:
    make_campaign(brand, name="x")
    text = "c,a,d\nx,1,2026-06-07\n"
    import_text(tmp_path, text, *COLUMNS, "--late-hours", "100")

    ran = import_text(tmp_path, text, *COLUMNS)

    assert (ran.status, fact(ran, "already there")) == (0, "1")


def test_an_unknown_campaign_is_refused_unless_campaigns_may_be_created(
    brand: Brand, tmp_path: Path
) -> None:
    ran = import_lines(tmp_path, "x,1,2026-06-10", "y,0,2026-06-10")

    assert ran.status == 1
    assert (
        'line 2: campaign: the brand has no campaign "x"; pass --create-campaigns to create it'
        in ran.err
    )
    assert not Campaign.objects.exists()


def test_no_campaign_is_created_for_lines_that_spent_nothing(brand: Brand, tmp_path: Path) -> None:
    text = "c,a,d\nx,1,2026-06-10\ny,0,2026-06-10\n"

    import_text(tmp_path, text, *COLUMNS, "--create-campaigns")

    assert [campaign.name for campaign in Campaign.objects.all()] == ["x"]


def test_campaigns_of_other_brands_are_not_meant(brand: Brand, tmp_path: Path) -> None:
    make_campaign(name="x")

    assert import_lines(tmp_path, "x,1,2026-06-10").status == 1
    assert not SpendLog.objects.exists()


def test_an_archived_campaign_still_gets_its_money_and_no_second_one_is_created(
    brand: Brand, tmp_path: Path
) -> None:
    campaign = make_campaign(brand, name="x")
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    text = "c,a,d\nx,1,2026-06-10\n"

    import_text(tmp_path, text, *COLUMNS, "--create-campaigns")

    assert spent(campaign) == Decimal(1)
    assert Campaign.objects.count() == 1


def test_a_running_campaign_goes_before_archived_ones_of_its_name(
    brand: Brand, tmp_path: Path
) -> None:
    for _ in range(2):
        archive_campaign(make_campaign(brand, name="x").pk, caller=CALLER, now=NOON)
    running = make_campaign(brand, name="x")

    import_lines(tmp_path, "x,1,2026-06-10")

    assert spent(running) == Decimal(1)


def test_identical_lines_all_count_and_their_order_does_not_matter(
    brand: Brand, tmp_path: Path
) -> None:
    make_campaign(brand, name="x")
    import_lines(tmp_path, "x,1,2026-06-10", "x,2,2026-06-10", "x,1,2026-06-10")
    assert recorded_sum() == Decimal(4)

    import_lines(tmp_path, "x,1,2026-06-10", "x,1,2026-06-10", "x,2,2026-06-10", "x,3,2026-06-10")

    assert recorded_sum() == Decimal(7)


def test_an_id_that_comes_back_with_other_content_is_refused(brand: Brand, tmp_path: Path) -> None:
    make_campaign(brand, name="x")
    text = "c,a,d,e\nx,1,2026-06-10,ad1\nx,1,2026-06-10,ad1\nx,2,2026-06-10,ad1\n"

    ran = import_text(tmp_path, text, *COLUMNS, "--column", "event_id=e")

    assert ran.status == 1
    assert ran.err == 'line 4: event_id: "ad1" was imported before with other content\n'
    assert (fact(ran, "recorded"), fact(ran, "already there")) == ("1", "1")
    assert recorded_sum() == Decimal(1)


def test_more_lines_than_fit_a_batch_go_in(brand: Brand, tmp_path: Path) -> None:
    make_campaign(brand, name="x")
    lines = ["x,0.01,2026-06-10"] * 1_001

    ran = import_lines(tmp_path, *lines, "x,oops,2026-06-10")

    assert recorded_sum() == Decimal("10.01")
    assert ran.err.startswith("line 1003: amount: is not an amount")
    assert fact(ran, "lines read") == "1002"


def test_a_dry_run_writes_nothing_and_foretells_the_run(brand: Brand, tmp_path: Path) -> None:
    make_campaign(brand, name="x")
    import_lines(tmp_path, "x,1,2026-06-10")
    text = (
        "c,a,d,e\nx,1,2026-06-10,\nx,1,2026-06-10,\nnew,2,2026-06-10,\n"
        "x,3,2026-06-01,\nx,0,2026-06-10,\nx,?,2026-06-10,\nnew,2,2026-06-10,\n"
    )
    before = everything_stored()

    forecast = import_text(tmp_path, text, *COLUMNS, "--create-campaigns", "--dry-run")

    assert everything_stored() == before
    ran = import_text(tmp_path, text, *COLUMNS, "--create-campaigns")
    assert (forecast.status, forecast.err) == (ran.status, ran.err) == (1, ran.err)
    for name in ("lines read", "already there", "spent nothing", "sum in file"):
        assert fact(forecast, name) == fact(ran, name)
    for name in ("recorded", "refused"):
        assert fact(forecast, f"would be {name}") == fact(ran, name) != "0"
    assert fact(forecast, "sum would be recorded") == fact(ran, "sum recorded")


def test_a_dry_run_sees_an_id_that_comes_twice_in_the_file(brand: Brand, tmp_path: Path) -> None:
    text = "c,a,d,e\nx,1,2026-06-10,ad1\nx,1,2026-06-10,ad1\ny,1,2026-06-10,ad1\n"
    options = (*COLUMNS, "--column", "event_id=e", "--create-campaigns")

    forecast = import_text(tmp_path, text, *options, "--dry-run")
    ran = import_text(tmp_path, text, *options)

    assert forecast.err == ran.err != ""
    assert fact(forecast, "already there") == fact(ran, "already there") == "1"


def test_a_brand_is_found_by_name_or_id_unless_that_could_be_two(
    brand: Brand, tmp_path: Path
) -> None:
    make_campaign(brand, name="936")
    options = (*ADS_COLUMNS, "--round-to", "2")

    assert run("import_spend", str(ADS), "--brand", str(brand.pk), *options).status == 1
    assert SpendLog.objects.exists()

    make_brand(name=str(brand.pk))
    ran = run("import_spend", str(ADS), "--brand", str(brand.pk), *options)
    assert ran.status == 2
    assert "names one brand and is the id of another" in ran.err


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_sees_progress_that_leaves_no_trace(brand: Brand) -> None:
    terminal = Terminal()

    call_command(
        *("import_spend", str(ADS), "--brand", "Social Ads", *ADS_COLUMNS),
        *("--round-to", "2", "--create-campaigns"),
        stdout=StringIO(),
        stderr=terminal,
    )

    assert "\r\x1b[K7 lines …" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    "zones",
    [("Asia/Tokyo", "Europe/Berlin"), ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo")],
    ids=["moved twice", "thought better of it at once"],
)
def test_lines_older_than_the_moves_that_a_brand_remembers_count_in_their_own_days_c11_c12(
    tmp_path: Path, zones: tuple[str, ...]
) -> None:
    """The brand remembers one move or, after one was cancelled, none; its versions tell of all."""
    since = NOON - timedelta(days=60)
    brand = make_brand(name="Social Ads", time_zone="America/Los_Angeles", now=since)
    make_campaign(brand, name="x", now=since)
    for age, zone in zip((40, 20, 20), zones, strict=False):
        moved_at = NOON - timedelta(days=age)
        edit_brand(brand.pk, {"time_zone": zone}, caller=CALLER, now=moved_at)
    late = ("--late-hours", "2000")
    by_instant = (*COLUMNS[:4], "--column", "occurred_at=d", *late)
    instants = [f"2026-{moment}:00Z" for moment in ("04-15T06:30", "05-10T16:00", "05-31T22:30")]

    first = import_text(
        tmp_path, "c,a,d\n" + "".join(f"x,1,{at}\n" for at in instants), *by_instant
    )
    second = import_text(tmp_path, "c,a,d\nx,2,2026-04-14\n", *COLUMNS, *late)

    assert (first.status, second.status) == (0, 0), first.err + second.err
    counted_in = list(SpendLog.objects.order_by("id").values_list("budget_day", flat=True))
    # 23:30 in Los Angeles, 01:00 in Tokyo, 00:30 in Berlin or 07:30 in Tokyo.
    expected = [date(2026, 4, 14), date(2026, 5, 11), date(2026, 6, 1)]
    assert counted_in == [*expected, date(2026, 4, 14)]
    of_april = BrandTotal.objects.get(period=PeriodKind.DAY, starts_on=date(2026, 4, 14))
    assert of_april.spent == 3
    assert of_april.starts_at.isoformat() == "2026-04-14T07:00:00+00:00"
    assert of_april.ends_at.isoformat() == "2026-04-15T07:00:00+00:00"
