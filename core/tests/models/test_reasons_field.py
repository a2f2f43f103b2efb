"""A set of reasons is stored so that both databases filter it alike (C14, C30)."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core.enums import Reason
from core.models import Campaign
from core.models.fields import ReasonsField
from core.tests.builders import make_campaign

EVERY_REASON = tuple(Reason)
FIELD = ReasonsField()


def make_paused(*reasons: Reason) -> Campaign:
    """A campaign with this stored verdict, true or not."""
    campaign = make_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(is_active=not reasons, reasons=reasons)
    return campaign


def stored_text(campaign: Campaign) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reasons FROM core_campaign WHERE id = %s", [campaign.pk])
        text: str = cursor.fetchone()[0]
    return text


@given(st.lists(st.sampled_from(Reason), unique=True).map(tuple))
def test_reasons_come_back_in_their_order(reasons: tuple[Reason, ...]) -> None:
    assert FIELD.to_python(FIELD.get_prep_value(reasons)) == reasons


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        ((), ""),
        ((Reason.ENDED,), ",ended,"),
        ((Reason.ENDED, Reason.NOT_STARTED), ",ended,not_started,"),
    ],
)
def test_each_code_stands_between_commas(reasons: tuple[Reason, ...], text: str) -> None:
    campaign = make_paused(*reasons)
    assert stored_text(campaign) == text
    found = Campaign.objects.get(pk=campaign.pk).reasons
    assert found == reasons
    assert all(isinstance(reason, Reason) for reason in found)


@pytest.mark.django_db
def test_every_reason_at_once_fits_the_column() -> None:
    campaign = make_paused(*EVERY_REASON)
    assert Campaign.objects.get(pk=campaign.pk).reasons == EVERY_REASON
    longest = Campaign._meta.get_field("reasons").max_length
    assert longest is not None
    assert len(stored_text(campaign)) <= longest


@pytest.mark.django_db
def test_a_filter_finds_exactly_the_campaigns_with_that_reason() -> None:
    with_one = {reason: make_paused(reason).pk for reason in EVERY_REASON}
    first, last = EVERY_REASON[0], EVERY_REASON[-1]
    with_two = make_paused(first, last).pk
    for reason, campaign_id in with_one.items():
        found = Campaign.objects.filter(reasons__contains=f",{reason},")
        expected = {campaign_id, with_two} if reason in (first, last) else {campaign_id}
        assert set(found.values_list("pk", flat=True)) == expected
        exactly = Campaign.objects.filter(reasons=(reason,))
        assert list(exactly.values_list("pk", flat=True)) == [campaign_id]


def test_a_code_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="because"):
        FIELD.to_python(",because,")
