"""The overview: what a key may see, counted."""

from core.tests.views.api import Api, Clock, Json, make_token

STATUS = "/api/status/"


def test_an_empty_system_counts_nothing(api: Api) -> None:
    assert api.get(STATUS).value() == {
        "total_brands": 0,
        "total_campaigns": 0,
        "active_campaigns": 0,
        "paused_campaigns": 0,
        "over_daily_budget": 0,
        "over_monthly_budget": 0,
        "server_time": "2024-01-15T10:30:00Z",
    }


def counts(api: Api) -> tuple[int, ...]:
    status = api.get(STATUS).value()
    names = ("total_campaigns", "active_campaigns", "paused_campaigns")
    return tuple(status[name] for name in (*names, "over_daily_budget", "over_monthly_budget"))


def test_over_counts_campaigns_that_their_own_or_their_brands_budget_stopped(api: Api) -> None:
    brand = api.create_brand(daily_budget="10.00", monthly_budget="100.00")
    first = api.create_campaign(brand, "a")
    api.create_campaign(brand, "b")
    api.create_campaign(brand, "own day", own_daily_budget="0")
    api.create_campaign(brand, "own month", own_monthly_budget="0")
    api.create_campaign(brand, "own lifetime", own_lifetime_budget="0")
    api.create_campaign(brand, "off", is_enabled=False)
    assert counts(api) == (6, 2, 4, 1, 1)
    api.add(first, "10.00").value()
    # The brand's day stops all six; "own day" is over by both and counts once.
    assert counts(api) == (6, 0, 6, 6, 1)
    api.edit("brands", brand, monthly_budget="10.00")
    assert counts(api) == (6, 0, 6, 6, 6)


def test_archived_brands_and_campaigns_are_not_counted(api: Api, brand: Json) -> None:
    gone = api.create_brand("Brand Y")
    for owner in (brand, gone):
        api.create_campaign(owner, "a")
    archived = api.create_campaign(brand, "b", own_daily_budget="0")
    api.delete(f"/api/campaigns/{archived['id']}/")
    api.delete(f"/api/brands/{gone['id']}/")
    assert api.get(STATUS).value()["total_brands"] == 1
    assert counts(api) == (1, 1, 0, 0, 0)


def test_a_limited_key_counts_its_own_brands(api: Api, brand: Json, campaign: Json) -> None:
    """C29."""
    other = api.create_brand("Brand Y", daily_budget="0")
    for name in ("a", "b"):
        api.create_campaign(other, name)
    limited = Api(make_token(brand=other))
    assert limited.get(STATUS).value()["total_brands"] == 1
    assert counts(limited) == (2, 0, 2, 2, 0)
    assert counts(api) == (3, 1, 2, 2, 0)


def test_the_servers_time_is_whole_seconds_in_utc(api: Api, clock: Clock) -> None:
    clock.move_to("2024-01-15T23:59:59.999999-05:00")
    assert api.get(STATUS).value()["server_time"] == "2024-01-16T04:59:59Z"
