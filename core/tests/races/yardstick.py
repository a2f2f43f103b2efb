"""The invariants of an outside yardstick that apply to us, at its sizes; docs/reliability.md.

An account is a campaign here, a transfer is a refund and a report in one batch, an overdraft is an
overspent budget. Each takes the deeds to run, so that broken ones can be shown to fail.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import TypeVar

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from core.actions.spend_requests import RefundRequest, SpendOutcome, SpendRequest
from core.enums import PeriodKind, SpendKind
from core.models import BrandTotal, CampaignTotal, SpendLog
from core.tests.builders import CALLER, LATE_LIMIT, NOON, TODAY
from core.tests.races.audit import audit, demand_totals_are_the_log
from core.tests.races.crowd import CROWD, run_together
from core.tests.races.field import ONE, Answer, Deeds, answer_of, is_admitted, make_field
from core.tests.races.promises import Promise, demand, demand_equal

# So many act at the same moment, each in a thread and with a connection of its own.
AT_ONCE = 64
DUPLICATES, DUPLICATES_OF_A_REFUSAL = 64, 32
CREDITS, TRANSFERS, DRAINS, ORDERED, REBUILT = 500, 400, 20, 150, 300
ACCOUNTS, FURTHER = 8, 3
A_MICRO = Decimal("0.000001")

T = TypeVar("T")


def at_once(count: int, deed: Callable[[int], T]) -> list[T]:
    """Do it so many times, each with its number, in eight processes of eight threads.

    Whoever waits too long for the brand's lock is told to try again, and does.
    """
    crowd = min(count, AT_ONCE)

    def until_decided(number: int) -> T:
        while True:
            try:
                return deed(number)
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise

    def some(first: int) -> list[T]:
        return [until_decided(number) for number in range(first, count, crowd)]

    runs = [partial(some, first) for first in range(crowd)]
    return list(chain.from_iterable(run_together(runs, threads=-(-crowd // CROWD))))


def duplicates_at_once_are_one(deeds: Deeds) -> None:
    """INV-05: of 64 submissions of one key at once, one is applied and the others say so."""
    (campaign_id,) = make_field({}, [{}]).campaign_ids
    request = SpendRequest(campaign_id, Decimal(25), event_id="once")
    replays = at_once(DUPLICATES, lambda _: _add(deeds, request).is_replay)
    told = (replays.count(False), replays.count(True))
    demand_equal(told, (1, DUPLICATES - 1), Promise.ONE_ANSWER)
    demand_equal(spent_by(campaign_id), Decimal(25), Promise.ONE_ANSWER)
    audit(NOON)


def no_credit_is_lost(deeds: Deeds) -> None:
    """INV-06: after 500 spends on one hot campaign its total is exact."""
    (campaign_id,) = make_field({}, [{}]).campaign_ids
    answers = _spend_at_once(deeds, campaign_id, CREDITS)
    demand_equal(len(answers), CREDITS, Promise.TOTALS_ARE_THE_LOG)
    demand_equal(spent_by(campaign_id), CREDITS * ONE, Promise.TOTALS_ARE_THE_LOG)
    audit(NOON)


def transfers_conserve_value(deeds: Deeds) -> None:
    """INV-07: 400 moves from one campaign to another, at once, leave the brand's sum as it was."""
    field = make_field({}, [{}] * ACCOUNTS)
    opening = [
        _add(deeds, SpendRequest(campaign_id, 100 * ONE)).accepted()["spend_log_id"]
        for campaign_id in field.campaign_ids
    ]

    def transfer(number: int) -> list[Answer]:
        away, to = number % ACCOUNTS, field.campaign_ids[(number + FURTHER) % ACCOUNTS]
        requests = [
            RefundRequest(opening[away], ONE, event_id=f"from-{number}"),
            SpendRequest(to, ONE, kind=SpendKind.REPORT, event_id=f"to-{number}"),
        ]
        moved = deeds.admit_batch(requests, caller=CALLER, now=NOON, late_limit=LATE_LIMIT)
        return [answer_of(outcome) for outcome in moved]

    answers = list(chain.from_iterable(at_once(TRANSFERS, transfer)))
    refused = [answer for answer in answers if not is_admitted(answer)]
    demand(not refused, Promise.NO_SURPRISE, refused)
    of_brand = BrandTotal.objects.get(brand=field.brand_id, period=PeriodKind.DAY)
    demand_equal(of_brand.spent, ACCOUNTS * 100 * ONE, Promise.TOTALS_ARE_THE_LOG)
    each = {spent_by(campaign_id) for campaign_id in field.campaign_ids}
    demand_equal(each, {100 * ONE}, Promise.TOTALS_ARE_THE_LOG)
    audit(NOON)


def a_drain_stops_at_zero(deeds: Deeds) -> None:
    """INV-09: of 20 withdrawals of 10.00 at once from 100.00, exactly 10 succeed."""
    (campaign_id,) = make_field({"daily_budget": 100 * ONE}, [{}]).campaign_ids
    request = SpendRequest(campaign_id, 10 * ONE)
    answers = at_once(DRAINS, lambda _: answer_of(_add(deeds, request)))
    given = sum(map(is_admitted, answers))
    demand(given <= 10, Promise.ZERO_OVERSPEND, f"{given} of 10 withdrawals")
    demand_equal((given, spent_by(campaign_id)), (10, 100 * ONE), Promise.FULL_DELIVERY)
    audit(NOON)


def totals_are_rebuilt_from_the_log(deeds: Deeds) -> None:
    """INV-08 and INV-13: the stored totals are the sums of the log, to the last micro."""
    campaign_ids = make_field({}, [{}] * 6).campaign_ids

    def spend(number: int) -> bool:
        amount = ONE + number * A_MICRO
        return is_admitted(answer_of(_add(deeds, SpendRequest(campaign_ids[number % 6], amount))))

    given = at_once(REBUILT, spend)
    demand_equal(given.count(True), REBUILT, Promise.NO_SURPRISE)
    demand_totals_are_the_log()


def each_entry_follows_the_one_before(deeds: Deeds) -> None:
    """INV-14: what 150 spends at once were told is one row of totals, in the order of the log."""
    (campaign_id,) = make_field({}, [{}]).campaign_ids
    answers = _spend_at_once(deeds, campaign_id, ORDERED)
    told = sorted((answer["spend_log_id"], answer["new_daily_spend"]) for answer in answers)
    expected = [f"{number}.00" for number in range(1, ORDERED + 1)]
    demand_equal([total for _, total in told], expected, Promise.TOTALS_ARE_THE_LOG)


def duplicates_of_a_refusal_are_refused(deeds: Deeds) -> None:
    """INV-15: none of 32 duplicates of a refused id at once is told that it was applied."""
    field = make_field({"daily_budget": Decimal(0)}, [{}])
    request = SpendRequest(field.campaign_ids[0], ONE, event_id="refused")
    _add(deeds, request)
    deeds.edit_brand(field.brand_id, {"daily_budget": Decimal(100)}, caller=CALLER, now=NOON)
    answers = at_once(DUPLICATES_OF_A_REFUSAL, lambda _: answer_of(_add(deeds, request)))
    applied = list(filter(is_admitted, answers))
    demand(not applied, Promise.ONE_ANSWER, f"{len(applied)} were told that it was applied")
    demand_equal(SpendLog.objects.count(), 0, Promise.ONE_ANSWER)
    audit(NOON)


def _spend_at_once(deeds: Deeds, campaign_id: int, count: int) -> list[Answer]:
    request = SpendRequest(campaign_id, ONE)
    answers = at_once(count, lambda _: answer_of(_add(deeds, request)))
    return list(filter(is_admitted, answers))


def _add(deeds: Deeds, request: SpendRequest) -> SpendOutcome:
    return deeds.add_spend(request, caller=CALLER, now=NOON)


def spent_by(campaign_id: int) -> Decimal:
    """What the campaign's day says."""
    of_day = CampaignTotal.objects.filter(
        campaign=campaign_id, period=PeriodKind.DAY, starts_on=TODAY
    )
    return of_day.values_list("spent", flat=True).first() or Decimal(0)
