"""With a database that fails, calls answer 503 and happen whole or not at all (C18, C27)."""

from collections.abc import Callable

import pytest
from django.db import OperationalError, transaction
from django.db.utils import InterfaceError

from core.tests.views.api import Answer, Api, Json
from core.tests.views.outages import (
    SECRET,
    broken_connection,
    failing_statement,
    failing_statements,
)
from core.tests.views.tables import Rows, all_rows

Deed = Callable[[Api, Json], Answer]


def path_of(campaign: Json) -> str:
    return f"/api/campaigns/{campaign['id']}/"


def create_brand(api: Api, campaign: Json) -> Answer:
    body = {"name": "New Brand", "daily_budget": "1", "monthly_budget": "1"}
    return api.post("/api/brands/create/", body)


def create_campaign(api: Api, campaign: Json) -> Answer:
    window = {"dayparting_start": "09:00", "dayparting_end": "10:00"}
    body = {"name": "New", "brand_id": campaign["brand_id"], **window}
    return api.post("/api/campaigns/create/", body)


SPENDS: dict[str, Deed] = {
    "add": lambda api, campaign: api.add(campaign, "1000.00", event_id="e-1"),
    "refused add": lambda api, campaign: api.add(campaign, "1000.01", event_id="e-1"),
    "report": lambda api, campaign: api.report(campaign, "1500.00", event_id="e-1"),
}
CHANGES: dict[str, Deed] = {
    "create brand": create_brand,
    "edit brand": lambda api, campaign: api.patch(
        f"/api/brands/{campaign['brand_id']}/", {"daily_budget": "0", "time_zone": "Asia/Tokyo"}
    ),
    "archive brand": lambda api, campaign: api.delete(f"/api/brands/{campaign['brand_id']}/"),
    "create campaign": create_campaign,
    "edit campaign": lambda api, campaign: api.patch(
        path_of(campaign),
        {"name": "New", "schedule": [{"days": ["sun"], "start": "01:00", "end": "02:00"}]},
    ),
    "pause": lambda api, campaign: api.post(f"{path_of(campaign)}pause/"),
    "archive campaign": lambda api, campaign: api.delete(path_of(campaign)),
}


@pytest.fixture
def siblings(api: Api, brand: Json, campaign: Json) -> None:
    for name in ("a", "b"):
        api.create_campaign(brand, name)
    api.report(campaign, "0.000001", occurred_at="2024-01-14T10:00:00Z").value()


def assert_unavailable(answer: Answer) -> None:
    answer.error(503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert SECRET.encode() not in answer.content


def contents(rows: Rows) -> Rows:
    """Rows without the ids in them: a sequence of PostgreSQL doesn't go back with its rows."""
    return {
        table: [
            {name: value for name, value in row.items() if not name.endswith("_id")} for row in of
        ]
        for table, of in rows.items()
    }


def rows_after(deed: Callable[[], Answer], place: int | None) -> tuple[Answer, list[str], Rows]:
    """What stands in the database after the deed, which is then undone."""
    with transaction.atomic():
        with failing_statement(place) as statements:
            answer = deed()
        rows = all_rows()
        transaction.set_rollback(True)
    return answer, statements, rows


@pytest.mark.parametrize("name", SPENDS)
@pytest.mark.usefixtures("siblings")
def test_a_spend_that_fails_at_any_statement_is_503_and_leaves_nothing(
    api: Api, campaign: Json, name: str
) -> None:
    """C18: log entry, totals, verdicts and the answer to the event id commit together."""

    def deed() -> Answer:
        return SPENDS[name](api, campaign)

    before = all_rows()
    good, statements, after = rows_after(deed, None)
    assert good.status in (200, 400)
    assert after != before
    assert len(statements) > 5
    for place in range(len(statements)):
        answer, tried, rows = rows_after(deed, place)
        assert_unavailable(answer)
        assert rows == before, tried
    retried = deed()
    assert retried.status == good.status
    assert "Idempotent-Replayed" not in retried.headers


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.usefixtures("siblings")
def test_a_change_that_fails_at_any_statement_is_503_and_happened_whole_or_not_at_all(
    api: Api, campaign: Json, name: str
) -> None:
    """The document is read after the change is made, so a failure there comes too late."""

    def deed() -> Answer:
        return CHANGES[name](api, campaign)

    before = all_rows()
    good, statements, after = rows_after(deed, None)
    assert 200 <= good.status < 300
    assert after != before
    untouched = 0
    for place in range(len(statements)):
        answer, tried, rows = rows_after(deed, place)
        assert_unavailable(answer)
        assert contents(rows) in (contents(before), contents(after)), tried
        untouched += rows == before
    assert untouched > len(statements) / 2


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("kind", ["add", "report"])
def test_no_spend_is_admitted_while_every_statement_fails(
    api: Api, campaign: Json, kind: str, *, error: type[Exception]
) -> None:
    """C27."""
    before = all_rows()
    with failing_statements(error):
        assert_unavailable(api.spend(kind, campaign, "1.00"))
    assert all_rows() == before
    api.spend(kind, campaign, "1.00").value()


@pytest.mark.parametrize("path", ["/api/brands/", "/api/spend/logs/", "/api/status/"])
def test_reads_are_503_while_nothing_can_be_reached(api: Api, path: str) -> None:
    """C27: without the database no key is known either, and that is not the caller's fault."""
    with broken_connection():
        assert_unavailable(api.get(path))
        assert_unavailable(Api("bm_unknown_key").get(path))
    assert api.get(path).status == 200


def test_a_spend_is_503_while_nothing_can_be_reached(api: Api, campaign: Json) -> None:
    """C27."""
    before = all_rows()
    with broken_connection():
        assert_unavailable(api.add(campaign, "1.00"))
    assert all_rows() == before
