"""Staff at noon: the clock of these tests stands still."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from freezegun import freeze_time

# Before the clock is stopped: pydantic can't read a class that mentions freezegun's instants.
import core.urls  # noqa: F401 (imported for that alone)
from core.tests.builders import NOON


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def ann(db: None, noon: None) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def bob(db: None, noon: None) -> Client:
    """The browser of a member of staff who may look at everything and change nothing."""
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="core", codename__startswith="view_")
    )
    client = Client()
    client.force_login(user)
    return client
