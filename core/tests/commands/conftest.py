"""The clock of the commands' tests, and the brand that files are imported into."""

import pytest
from django.utils import timezone

from core.models import Brand
from core.tests.builders import NOON, make_brand


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock that commands read."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def brand(db: None) -> Brand:
    return make_brand(name="Social Ads")
