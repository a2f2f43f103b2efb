"""A caller's event id names one spend for ever: the first answer comes back (C21)."""

import pytest

from core.models import EventAnswer, SpendLog
from core.tests.views.api import Answer, Api, Clock, Json, make_token

REPLAYED = "Idempotent-Replayed"


def same_document(first: Answer, second: Answer) -> bool:
    """Equal but for the id of the request, which is always a new one."""
    documents = [first.json, second.json]
    ids = {document.pop("request_id", None) for document in documents}
    return documents[0] == documents[1] and (ids == {None} or len(ids) == 2)


@pytest.mark.parametrize("kind", ["add", "report"])
def test_the_same_id_and_content_get_the_first_answer_again(
    api: Api, clock: Clock, kind: str, *, campaign: Json
) -> None:
    first = api.spend(kind, campaign, "50.00", event_id="e-1")
    assert REPLAYED not in first.headers
    api.add(campaign, "7.00").value()
    clock.advance(days=400)
    again = api.spend(kind, campaign, "50.00", event_id="e-1")
    assert again.value() == first.value()
    assert again.headers[REPLAYED] == "true"
    assert SpendLog.objects.count() == 2
    assert SpendLog.objects.filter(event_id="e-1").count() == 1


def test_a_report_of_an_instant_is_replayed_when_it_would_be_too_late_for_a_new_one(
    api: Api, clock: Clock, campaign: Json
) -> None:
    """C11."""
    body = {"event_id": "e-1", "occurred_at": "2024-01-15T10:00:00Z"}
    first = api.report(campaign, "1.00", **body)
    clock.advance(days=10)
    again = api.report(campaign, "1.00", **body)
    assert (again.value(), again.headers[REPLAYED]) == (first.value(), "true")


@pytest.mark.parametrize("amount", ["50", "50.0", "50.000000", 50, 50.0])
def test_content_is_what_it_means_and_not_how_it_is_written(
    api: Api, campaign: Json, amount: object
) -> None:
    first = api.add(campaign, "50.00", event_id="e-1")
    again = api.add(campaign, amount, event_id="e-1", currency=None)
    assert (again.value(), again.headers[REPLAYED]) == (first.value(), "true")


def test_a_budget_refusal_is_replayed_even_after_the_budget_was_raised(
    api: Api, brand: Json, campaign: Json
) -> None:
    first = api.add(campaign, "1000.01", event_id="e-1")
    first.error(400, "budget_exceeded")
    assert REPLAYED not in first.headers
    api.edit("brands", brand, daily_budget="5000.00")
    again = api.add(campaign, "1000.01", event_id="e-1")
    assert again.error(400, "budget_exceeded")["remaining"] == "1000.00"
    assert same_document(first, again)
    assert again.headers[REPLAYED] == "true"
    assert not SpendLog.objects.exists()
    api.add(campaign, "1000.01", event_id="e-2").value()


def test_a_refusal_before_midnight_is_replayed_after_it(
    api: Api, clock: Clock, brand: Json
) -> None:
    campaign = api.create_campaign(brand, dayparting_start="00:00", dayparting_end="01:00")
    first = api.add(campaign, "1.00", event_id="e-1")
    first.error(400, "campaign_not_active")
    clock.move_to("2024-01-16T00:00:01Z")
    again = api.add(campaign, "1.00", event_id="e-1")
    again.error(400, "campaign_not_active")
    assert same_document(first, again)
    assert again.headers[REPLAYED] == "true"
    api.add(campaign, "1.00", event_id="e-2").value()


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("add", {"amount": "50.000001"}),
        ("add", {"campaign_id": "sibling"}),
        ("add", {"campaign_id": "of another brand"}),
        ("report", {}),
        ("report", {"occurred_at": "2024-01-15T10:30:00Z"}),
    ],
)
@pytest.mark.parametrize("first_amount", ["50.00", "5000.00"])
def test_the_same_id_with_other_content_is_a_conflict_and_writes_nothing(
    api: Api, brand: Json, campaign: Json, *, first_amount: str, kind: str, other: Json
) -> None:
    """Whether the first answer was an admission or a refusal."""
    campaigns = {
        "sibling": api.create_campaign(brand, "sibling"),
        "of another brand": api.create_campaign(api.create_brand("Brand Y")),
    }
    first = api.add(campaign, first_amount, event_id="e-1")
    before = SpendLog.objects.count()
    body = {"campaign_id": campaign["id"], "amount": first_amount, "event_id": "e-1", **other}
    if "campaign_id" in other:
        body["campaign_id"] = campaigns[other["campaign_id"]]["id"]
    answer = api.post(f"/api/spend/{kind}/", body)
    error = answer.error(409, "event_id_reused")
    assert list(error["fields"]) == ["event_id"]
    assert REPLAYED not in answer.headers
    assert (SpendLog.objects.count(), EventAnswer.objects.count()) == (before, 1)
    assert same_document(api.add(campaign, first_amount, event_id="e-1"), first)


def test_two_keys_may_use_the_same_id(api: Api, campaign: Json) -> None:
    api.add(campaign, "50.00", event_id="e-1").value()
    answer = Api(make_token()).add(campaign, "60.00", event_id="e-1")
    assert answer.value()["new_daily_spend"] == "110.00"
    assert REPLAYED not in answer.headers
    assert SpendLog.objects.filter(event_id="e-1").count() == 2


def test_ids_differ_by_case_space_and_letter_form(api: Api, campaign: Json) -> None:
    """C30: both databases tell them apart."""
    ids = ["é", "e\u0301", "E", "e", "e ", " e", "x" * 200, "x" * 199, "%", "_"]
    for event_id in ids:
        answer = api.add(campaign, "1.00", event_id=event_id)
        assert answer.value()["event_id"] == event_id
        assert REPLAYED not in answer.headers
    assert SpendLog.objects.count() == len(ids)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"amount": "0"}, 400),
        ({"currency": "EUR"}, 400),
        ({"occurred_at": "2023-01-01T00:00:00Z"}, 400),
        ({"campaign_id": 999_999}, 404),
    ],
)
def test_a_mistake_does_not_use_up_the_id(
    api: Api, campaign: Json, body: Json, *, status: int
) -> None:
    """Only what was decided is an answer; a request that made no sense may be put right."""
    right = {"campaign_id": campaign["id"], "amount": "1.00", "event_id": "e-1"}
    assert api.post("/api/spend/report/", {**right, **body}).status == status
    answer = api.post("/api/spend/report/", right)
    assert answer.status == 200
    assert REPLAYED not in answer.headers


def test_spend_without_an_id_is_never_a_repetition(api: Api, campaign: Json) -> None:
    for event_id in (None, None):
        api.add(campaign, "1.00", event_id=event_id).value()
    api.add(campaign, "1.00").value()
    assert SpendLog.objects.count() == 3
    assert not EventAnswer.objects.exists()


def test_an_archived_campaign_still_answers_its_ids(api: Api, campaign: Json) -> None:
    first = api.add(campaign, "1.00", event_id="e-1")
    api.delete(f"/api/campaigns/{campaign['id']}/")
    again = api.add(campaign, "1.00", event_id="e-1")
    assert (again.value(), again.headers[REPLAYED]) == (first.value(), "true")
    api.add(campaign, "1.00", event_id="e-2").error(404, "campaign_not_found")
