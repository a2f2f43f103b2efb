"""Imports small files into the brand "Social Ads" and reads what the command says of them."""

import re
from pathlib import Path

from core.tests.commands.running import Ran, run

ADS = Path(__file__).parent / "ads.csv"
ADS_COLUMNS = (
    *("--column", "campaign=xyz_campaign_id", "--column", "amount=Spent"),
    *("--column", "date=Date", "--date-format", "%d-%m-%Y"),
)
COLUMNS = ("--column", "campaign=c", "--column", "amount=a", "--column", "date=d")


def import_ads(*options: str) -> Ran:
    return run("import_spend", str(ADS), "--brand", "Social Ads", *ADS_COLUMNS, *options)


def import_text(folder: Path, text: str | bytes, *options: str) -> Ran:
    path = folder / "spend.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("import_spend", str(path), "--brand", "Social Ads", *(options or COLUMNS))


def import_lines(folder: Path, *lines: str) -> Ran:
    """Lines of campaign `x` on today's date, unless they say otherwise."""
    return import_text(folder, "c,a,d\n" + "".join(f"{line}\n" for line in lines))


def fact(ran: Ran, name: str) -> str:
    """What the summary says under this name."""
    found = re.search(rf"^{name} +(.+)$", ran.out, re.MULTILINE)
    assert found, ran.out
    return found[1]
