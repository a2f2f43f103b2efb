"""`import_spend` reads the usual kinds of CSV, and says what is wrong with the others."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.db import OperationalError

from core.models import Brand, SpendLog
from core.tests.builders import make_campaign, spent
from core.tests.commands.importing import ADS, ADS_COLUMNS, COLUMNS, fact, import_lines, import_text
from core.tests.commands.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfc,a,d\nx,1.50,2026-06-10\n",
        b"c,a,d\r\nx,1.50,2026-06-10\r\n",
        b"c,a,d\rx,1.50,2026-06-10\r",
        b"c,a,d\nx,1.50,2026-06-10",
        b'"c","a","d"\n"x","1.50","2026-06-10"\n',
        b" c , a , d \n x , 1.50 , 2026-06-10 \n",
        b"c,a,d\n\n\nx,1.50,2026-06-10\n\n",
        b'other,d,a,c\n"a, ""b""\n",2026-06-10,1.50,x\n',
    ],
    ids=[
        "BOM",
        "CRLF",
        "CR",
        "no last newline",
        "quotes",
        "spaces",
        "blank lines",
        "other columns",
    ],
)
def test_the_usual_kinds_of_csv_are_read(brand: Brand, tmp_path: Path, text: bytes) -> None:
    campaign = make_campaign(brand, name="x")

    ran = import_text(tmp_path, text)

    assert (ran.status, ran.err) == (0, "")
    assert spent(campaign) == Decimal("1.50")


def test_names_in_quotes_may_hold_commas_quotes_and_umlauts(brand: Brand, tmp_path: Path) -> None:
    campaign = make_campaign(brand, name='Käse, "alt"')

    import_lines(tmp_path, '"Käse, ""alt""",1,2026-06-10')

    assert spent(campaign) == Decimal(1)


def test_ragged_rows_are_refused_by_their_line_and_the_rest_goes_in(
    brand: Brand, tmp_path: Path
) -> None:
    campaign = make_campaign(brand, name="x")

    ran = import_lines(tmp_path, "x,1", "x,2,2026-06-10", "x,4,2026-06-10,more", "x,8,2026-06-10")

    assert ran.status == 1
    assert ran.err.splitlines() == [
        "line 2: has 2 cells where the header has 3",
        "line 4: has 4 cells where the header has 3",
    ]
    assert spent(campaign) == Decimal(10)


def test_a_huge_cell_is_refused_and_the_rest_goes_in(brand: Brand, tmp_path: Path) -> None:
    campaign = make_campaign(brand, name="x")

    ran = import_lines(tmp_path, "x" * 200_000 + ",1,2026-06-10", "x,2,2026-06-10")

    assert ran.status == 1
    assert "line 2: is no CSV: field larger than field limit" in ran.err
    assert spent(campaign) == Decimal(2)


def test_nothing_is_read_as_spend_below_a_quote_that_is_never_closed(
    brand: Brand, tmp_path: Path
) -> None:
    campaign = make_campaign(brand, name="x")
    hidden = ["x,4,2026-06-10"] * 20_000

    ran = import_lines(tmp_path, "x,1,2026-06-10", '"x,2,2026-06-10', *hidden)

    assert ran.status == 1
    assert "line 3: opens a quote" in ran.err
    assert "nothing below it was read" in ran.err
    assert spent(campaign) == Decimal(1)


def test_a_row_over_several_lines_is_named_by_its_first_and_last(
    brand: Brand, tmp_path: Path
) -> None:
    campaign = make_campaign(brand, name="x")

    ran = import_lines(tmp_path, '"x', '",1', "x,2,2026-06-10")

    assert ran.err == "line 2: has 2 cells where the header has 3 (it goes on to line 3)\n"
    assert spent(campaign) == Decimal(2)


def test_a_cell_never_writes_to_the_terminal_by_itself(brand: Brand, tmp_path: Path) -> None:
    ran = import_lines(tmp_path, "\x1b[2Jx\u202e,1,2026-06-10", "x\u202e,1,2026-06-10")

    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert "\\u202e" in ran.err


def test_a_file_with_nothing_but_a_header_is_imported(brand: Brand, tmp_path: Path) -> None:
    ran = import_text(tmp_path, "c,a,d\n")

    assert (ran.status, fact(ran, "lines read")) == (0, "0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "line 1 is empty"),
        (b"\nc,a,d\n", "line 1 is empty"),
        (b"c,b,d\n", 'names the column "a" 0 times instead of once; its columns are: c, b, d'),
        (b"c;a;d\n", "its columns are: c;a;d"),
        (b"c,a,d,a\n", 'names the column "a" 2 times'),
        (b"c,a,d\nx,1,2026-06-10\n\xff,1,2026-06-10\n", "is not UTF-8 text"),
        ("c,a,d\nx,1,2026-06-10\n".encode("utf-16"), "is not UTF-8 text"),
        (b'"c,a,d\n', "line 1 is no CSV header"),
        (b"c,a,d\n" + b"x" * 1_100_000, "line 2 has more than 1048576 characters"),
    ],
)
def test_an_unusable_file_changes_nothing(
    brand: Brand, tmp_path: Path, text: bytes, said: str
) -> None:
    make_campaign(brand, name="x")

    ran = import_text(tmp_path, text)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not SpendLog.objects.exists()


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_is_not_there_is_named(brand: Brand, tmp_path: Path, name: str) -> None:
    ran = run("import_spend", str(tmp_path / name), "--brand", "Social Ads", *COLUMNS)

    assert ran.status == 2
    assert "there is no such file" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--brand", "Nobody", *COLUMNS], '--brand: no brand has the name or id "Nobody"'),
        (["--brand", "9" * 40, *COLUMNS], "--brand: no brand has the name or id"),
        ([*COLUMNS[:4]], "campaign, amount and date (or occurred_at) are needed"),
        ([*COLUMNS[2:]], "campaign, amount and date (or occurred_at) are needed"),
        ([*COLUMNS, "--column", "price=p"], '--column: "price=p" is not FIELD=HEADER'),
        ([*COLUMNS, "--column", "amount=b"], '--column: "amount=b" is not FIELD=HEADER'),
        ([*COLUMNS, "--column", "event_id="], '--column: "event_id=" is not FIELD=HEADER'),
        ([*COLUMNS, "--date-format", "%Y"], "--date-format: must hold day, month and year"),
        ([*COLUMNS, "--round-to", "7"], "--round-to: must be a whole number from 0 to 6"),
        ([*COLUMNS, "--round-to", "two"], "--round-to: must be a whole number from 0 to 6"),
        ([*COLUMNS, "--late-hours", "1.5"], "--late-hours: must be a whole number"),
        ([*COLUMNS, "--late-hours", "9" * 12], "--late-hours: must be a whole number"),
    ],
)
def test_bad_options_are_named(brand: Brand, options: list[str], said: str) -> None:
    ran = run("import_spend", str(ADS), "--brand", "Social Ads", *options)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_a_database_that_is_busy_stops_the_import_with_a_sentence(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr("core.management.commands.import_spend.import_spend_lines", refuse)

    ran = run("import_spend", str(ADS), "--brand", "Social Ads", *ADS_COLUMNS)

    assert ran.status == 2
    assert "lock timeout" in ran.err
    assert "run this again" in ran.err
