"""What most tests of the API start from: a Monday morning, a key, a brand, a campaign."""

import pytest

from core.tests.views.api import Api, Clock, Json, make_token

MONDAY_MORNING = "2024-01-15T10:30:00Z"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands at 10:30 UTC on Monday, 15 January 2024."""
    return Clock(monkeypatch, MONDAY_MORNING)


@pytest.fixture
def api(db: None, clock: Clock) -> Api:
    """A caller who may do everything."""
    return Api(make_token())


@pytest.fixture
def brand(api: Api) -> Json:
    """1,000.00 a day, 30,000.00 a month, in UTC and US dollars."""
    return api.create_brand()


@pytest.fixture
def campaign(api: Api, brand: Json) -> Json:
    """Of that brand, always open, without budgets of its own."""
    return api.create_campaign(brand)
