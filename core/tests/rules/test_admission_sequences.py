"""Any sequence of spends is decided as an obvious ledger of plain integers decides it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.enums import PeriodKind, Reason, SpendKind
from core.errors import BudgetExceededError
from core.rules.admission import Admission, BrandBook, Decision
from core.rules.entries import SpendEntry
from core.rules.money import to_micros
from core.rules.verdict import Amounts, TotalKey, applying_ceilings
from core.tests.depth import examples
from core.tests.rules.facts import BRAND, CAMPAIGN, NOON, TODAY, TOTAL_OF
from core.tests.rules.ledger import Label, Ledger, Wish

CAMPAIGNS = (1, 2, 3)
# Noon's own day, one in the same month, one in the month before.
DAYS = (TODAY, date(2026, 6, 1), date(2026, 5, 31))

# Few sizes, so that sums meet limits exactly.
micros = st.sampled_from([1, 500_000, 1_000_000, 2_000_000, 2_999_999, 3_000_000])
limits = st.sampled_from([0, 1, 3_000_000, 5_500_000, 10_000_000, 20_000_000])
labels: list[Label] = [("brand", "day"), ("brand", "month")]
labels += [(number, span) for number in CAMPAIGNS for span in ("day", "month", "ever")]


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    kind = draw(st.sampled_from(["add", "add", "report"]))
    day = TODAY if kind == "add" else draw(st.sampled_from(DAYS))
    return Wish(kind, draw(st.sampled_from(CAMPAIGNS)), draw(micros), day)


ledgers = st.builds(
    Ledger,
    today=st.just(TODAY),
    limits=st.dictionaries(st.sampled_from(labels), limits, max_size=5),
    off=st.sets(st.sampled_from(CAMPAIGNS), max_size=1),
)


def money(micro_count: int | None) -> Decimal | None:
    return None if micro_count is None else Decimal(micro_count) / 1_000_000


def book_of(ledger: Ledger, totals: Mapping[TotalKey, Amounts]) -> BrandBook:
    limit = ledger.limits.get
    brand = replace(
        BRAND,
        daily_budget=money(limit(("brand", "day"))),
        monthly_budget=money(limit(("brand", "month"))),
    )
    campaigns = {
        number: replace(
            CAMPAIGN,
            campaign_id=number,
            is_enabled=number not in ledger.off,
            daily_budget=money(limit((number, "day"))),
            monthly_budget=money(limit((number, "month"))),
            lifetime_budget=money(limit((number, "ever"))),
        )
        for number in CAMPAIGNS
    }
    return BrandBook(brand, campaigns, totals)


def entry_of(wish: Wish) -> SpendEntry:
    occurred_at = datetime.combine(wish.day, NOON.timetz())
    return SpendEntry(SpendKind(wish.kind), wish.campaign, wish.micros, occurred_at)


def told(decision: Decision) -> dict[str, object]:
    """The decision in the words of the reference."""
    if isinstance(decision.refusal, BudgetExceededError):
        details = decision.refusal.details
        left = to_micros(Decimal(details["remaining"]))
        return {"refusal": "budget_exceeded", "budget": details["budget"], "remaining": left}
    if decision.refusal or decision.standing is None:
        return {"refusal": decision.refusal.code if decision.refusal else "nothing"}
    return {
        "refusal": None,
        "over": decision.over_budget,
        "cause": decision.over_budget_cause,
        "day": decision.day_spent,
        "month": decision.month_spent,
        "is_active": decision.standing.is_active,
    }


@settings(max_examples=examples(300))
@given(ledgers, st.lists(wishes(), max_size=25))
def test_any_sequence_is_decided_as_a_plain_ledger_decides_it_c18_c19(
    ledger: Ledger, sequence: list[Wish]
) -> None:
    admission = Admission(book_of(ledger, {}), NOON)
    for wish in sequence:
        assert told(admission.decide(entry_of(wish))) == ledger.decide(wish)
    stored = {
        ("brand" if key.campaign_id is None else key.campaign_id, _span(key)): to_micros(total.used)
        for key, total in admission.totals.items()
        if total.used
    }
    assert stored == ledger.used
    assert {key for key, total in admission.totals.items() if total.used} == admission.changed


def _span(key: TotalKey) -> str:
    match key.period:
        case PeriodKind.DAY:
            return str(key.starts_on)
        case PeriodKind.MONTH:
            return f"{key.starts_on:%Y-%m}"
        case PeriodKind.LIFETIME:
            return "ever"


@settings(max_examples=examples(100))
@given(ledgers, st.lists(wishes(), max_size=15))
def test_a_batch_gives_what_its_entries_give_one_by_one_c23(
    ledger: Ledger, sequence: list[Wish]
) -> None:
    batch = Admission(book_of(ledger, {}), NOON)
    totals: Mapping[TotalKey, Amounts] = {}
    for wish in sequence:
        alone = Admission(book_of(ledger, totals), NOON)
        assert told(alone.decide(entry_of(wish))) == told(batch.decide(entry_of(wish)))
        totals = alone.totals
    assert {key: total for key, total in totals.items() if total.used} == {
        key: total for key, total in batch.totals.items() if total.used
    }


held_or_spent = st.builds(
    Amounts, micros.map(lambda m: Decimal(m) / 1_000_000), micros.map(lambda m: Decimal(m) / 10**6)
)


@settings(max_examples=examples(200))
@given(
    ledgers,
    st.dictionaries(st.sampled_from(list(TOTAL_OF.values())), held_or_spent),
    st.lists(wishes(), max_size=25),
)
def test_adds_alone_never_take_a_budget_beyond_its_limit_c7(
    ledger: Ledger, totals: dict[TotalKey, Amounts], sequence: list[Wish]
) -> None:
    known = book_of(ledger, totals)
    admission = Admission(known, NOON)
    for wish in sequence:
        admission.decide(replace(entry_of(wish), kind=SpendKind.ADD, occurred_at=NOON))
    after = BrandBook(known.brand, known.campaigns, admission.totals)
    for number in CAMPAIGNS:
        for ceiling in applying_ceilings(after.facts(number), NOON):
            used_before = totals.get(ceiling.key, Amounts()).used
            assert ceiling.amounts.used <= max(ceiling.budget, used_before)


@settings(max_examples=examples(200))
@given(ledgers, micros, st.lists(st.sampled_from(CAMPAIGNS), min_size=1, max_size=60))
def test_an_add_is_only_refused_when_the_tightest_budget_has_less_left_c8(
    ledger: Ledger, smallest: int, order: list[int]
) -> None:
    ledger.off = set()
    known = book_of(ledger, {})
    admission = Admission(known, NOON)
    for number in order:
        before = BrandBook(known.brand, known.campaigns, dict(admission.totals))
        rooms = [ceiling.remaining for ceiling in applying_ceilings(before.facts(number), NOON)]
        decision = admission.decide(entry_of(Wish("add", number, smallest, TODAY)))
        if decision.refusal:
            assert min(rooms) < Decimal(smallest) / 1_000_000
        else:
            assert all(room >= Decimal(smallest) / 1_000_000 for room in rooms)


@settings(max_examples=examples(100))
@given(ledgers, st.lists(wishes(), max_size=10))
def test_what_a_refusal_says_remains_is_admitted_and_uses_the_budget_up_c8(
    ledger: Ledger, sequence: list[Wish]
) -> None:
    admission = Admission(book_of(ledger, {}), NOON)
    for wish in sequence:
        refusal = admission.decide(entry_of(wish)).refusal
        if isinstance(refusal, BudgetExceededError):
            rest = to_micros(Decimal(refusal.details["remaining"]))
            taken = admission.decide(replace(entry_of(wish), amount=rest))
            assert taken.standing is not None
            assert taken.standing.remaining == 0
            assert Reason(refusal.details["budget"]) in taken.standing.reasons
