"""A race of refunds: eight processes take back the same entry, 1.00 at a time (C22)."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from itertools import chain

from core.actions.spend_requests import RefundRequest, SpendRequest
from core.enums import SpendKind
from core.models import SpendLog
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.budgets import Heat
from core.tests.races.crowd import run_together
from core.tests.races.field import ONE, Answer, Deeds, answer_of, is_admitted, make_field
from core.tests.races.promises import Promise, demand, demand_equal

SHORT_OF_IT = Heat(requests_each=8, budget=Decimal(10))


def race_of_refunds(deeds: Deeds, heat: Heat = SHORT_OF_IT) -> None:
    """An entry that used up the budget is asked back more often than it can be."""
    asked_back = heat.crowd * heat.requests_each * ONE
    (campaign_id,) = make_field({"daily_budget": heat.budget + asked_back}, [{}]).campaign_ids
    # Beside another entry that is as large as all that is asked for: if it were taken back from
    # there, no constraint would notice.
    _, spend_log_id = (
        _spend(deeds, SpendRequest(campaign_id, amount)) for amount in (asked_back, heat.budget)
    )
    refunder = partial(_refund, deeds, spend_log_id, heat.requests_each)
    answers = list(
        chain.from_iterable(run_together([refunder] * heat.crowd, threads=deeds.threads))
    )
    _demand_taken_back_once(answers, heat.budget)
    audit(NOON)


def _spend(deeds: Deeds, request: SpendRequest) -> int:
    spent = deeds.add_spend(request, caller=CALLER, now=NOON).accepted()
    return int(spent["spend_log_id"])


def _refund(deeds: Deeds, spend_log_id: int, times: int) -> list[Answer]:
    request = RefundRequest(spend_log_id, ONE)
    return [answer_of(deeds.refund_spend(request, caller=CALLER, now=NOON)) for _ in range(times)]


def _demand_taken_back_once(answers: Sequence[Answer], entry: Decimal) -> None:
    """All of the entry came back, and whoever got nothing was told why."""
    given = list(filter(is_admitted, answers))
    demand_equal(len(given), int(entry), Promise.REFUNDS_ARE_COVERED)
    logged = SpendLog.objects.filter(kind=SpendKind.REFUND)
    taken_back = -sum((refund.amount for refund in logged), Decimal(0))
    demand_equal(taken_back, entry, Promise.REFUNDS_ARE_COVERED)
    codes = {answer["code"] for answer in answers if not is_admitted(answer)}
    demand(codes <= {"refund_above_entry"}, Promise.NO_SURPRISE, f"refused: {codes}")
    left = sorted(Decimal(answer["refundable"]) for answer in given)
    demand_equal(left, list(range(int(entry))), Promise.REFUNDS_ARE_COVERED)
