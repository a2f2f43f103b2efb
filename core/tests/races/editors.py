"""A race of people who all read the same settings and all save: exactly one may (C6)."""

from collections import Counter
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

from core.actions.versions import Terms
from core.errors import ChangedMeanwhileError
from core.models import Brand
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.crowd import CROWD, meeting_point, run_together
from core.tests.races.field import Deeds, make_field
from core.tests.races.promises import Promise, demand_equal

ROUNDS = 10


def race_of_editors(deeds: Deeds) -> None:
    """In each round everybody reads, then everybody saves what they read with a name of theirs."""
    field = make_field({}, [{}])
    everybody = meeting_point(CROWD)
    runners = [
        _editor(deeds, field.brand_id, f"editor {number}", everybody) for number in range(CROWD)
    ]
    wins = Counter(turn for won in run_together(runners) for turn in won)
    demand_equal(wins, Counter(range(ROUNDS)), Promise.EDITS_BIND)
    brand = Brand.objects.get(pk=field.brand_id)
    numbers = list(brand.versions.order_by("number").values_list("number", flat=True))
    demand_equal(numbers, list(range(1, ROUNDS + 2)), Promise.EDITS_BIND)
    audit(NOON)


def _editor(deeds: Deeds, brand_id: int, name: str, everybody: Barrier) -> Callable[[], list[int]]:
    """Takes part in every round; tells which ones it won. The winner finds its name stored."""

    def take_part() -> list[int]:
        won = []
        for turn in range(ROUNDS):
            seen = Brand.objects.get(pk=brand_id).version
            everybody.wait()
            mine = f"{name}, round {turn}"
            if _save(deeds, brand_id, mine, seen):
                won.append(turn)
            everybody.wait()
            is_stored = Brand.objects.get(pk=brand_id).name == mine
            demand_equal(is_stored, turn in won, Promise.EDITS_BIND)
        return won

    return take_part


def _save(deeds: Deeds, brand_id: int, name: str, seen: int) -> bool:
    """Whether the edit was accepted."""
    terms = Terms(frozenset({seen}))
    try:
        deeds.edit_brand(brand_id, {"name": name}, caller=CALLER, now=NOON, terms=terms)
    except ChangedMeanwhileError:
        return False
    return True
