"""Admits and records spend, refunds and holds. All of them come through here (C7, C18).

What is asked of one brand commits together or not at all: the log entries, the holds, the totals,
the answers to event ids and the verdicts. Brands that are free share a transaction.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError

from core.actions.caller import Caller
from core.actions.coalescing import PutOff
from core.actions.spend_requests import (
    Asked,
    EventName,
    RefundRequest,
    Request,
    SpendOutcome,
    SpendRequest,
    Subject,
    ids_of,
)
from core.actions.spend_sessions import admit_alone, admit_free
from core.enums import SpendKind
from core.errors import (
    CampaignNotFoundError,
    DatabaseUnavailableError,
    HoldNotFoundError,
    NotFoundError,
    SpendLogNotFoundError,
)
from core.models import Campaign, Hold, SpendLog
from core.queries.spend import BrandsOf

logger = logging.getLogger(__name__)

# So many brands share a transaction at most: the first of them is locked until the last is written.
MOST_BRANDS = 64
# What a database says that is down, overloaded, locked for too long or, PostgreSQL by an
# InternalError, only a standby (C27).
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
_MODELS: dict[Subject, type[Campaign] | type[Hold] | type[SpendLog]] = {
    Subject.CAMPAIGN: Campaign,
    Subject.HOLD: Hold,
    Subject.ENTRY: SpendLog,
}
_NOT_FOUND: dict[Subject, Callable[[], NotFoundError]] = {
    Subject.CAMPAIGN: CampaignNotFoundError,
    Subject.HOLD: HoldNotFoundError,
    Subject.ENTRY: SpendLogNotFoundError,
}


def add_spend(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Ask to spend now: admitted if the campaign is active and every budget covers it (C18)."""
    add = replace(request, kind=SpendKind.ADD, occurred_at=None)
    return admit_spends([Asked(add, caller)], now=now)[0]


def report_spend(
    request: SpendRequest, *, caller: Caller, now: datetime, late_limit: timedelta
) -> SpendOutcome:
    """Record money already gone, whatever the budgets say (C19), at most `late_limit` old (C11)."""
    report = replace(request, kind=SpendKind.REPORT)
    return admit_spends([Asked(report, caller, late_limit)], now=now)[0]


def refund_spend(request: RefundRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Take back part or all of an entry, in that entry's own periods, however old (C22)."""
    return admit_spends([Asked(request, caller)], now=now)[0]


def admit_batch(
    requests: Sequence[Request], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Decide what one caller asks together, as `admit_spends` does (C23)."""
    return admit_spends([Asked(each, caller, late_limit) for each in requests], now=now)


def admit_spends(asked: Sequence[Asked], *, now: datetime) -> list[SpendOutcome]:
    """Decide each request, those of a brand in order; outcomes in the order asked (C23).

    A refused or invalid entry spoils no other. Raises only while nothing is committed, and then
    nothing will be; after that, what can't be decided comes to DatabaseUnavailableError. An
    event id that two brands share makes their entries depend on each other: then it is one by one.
    A change of state that several callers brought about together is put down to the last of them.
    """
    work = _Work(asked, find_brands(each.request for each in asked), now)
    work.admit_together()
    work.admit_rest()
    return work.told()


def admit_free_spends(
    asked: Sequence[Asked], brands: BrandsOf, *, now: datetime
) -> list[SpendOutcome | PutOff]:
    """Decide as `admit_spends` does, but put off what has to wait while others need not.

    That is done when it is asked again together with its party alone. `brands` is what
    `find_brands` said of these requests, or of more.
    """
    work = _Work(asked, brands, now)
    if not work.is_one_party:
        work.admit_together()
        return work.told_or_put_off()
    work.admit_rest()
    return list(work.told())


class _Work:
    """What is asked at one moment, and what became of it.

    A party are those requests, by their places, that depend on each other: one brand's, or, under
    `None`, those of all brands that share an event id. What is in `parties` isn't decided yet.
    """

    def __init__(self, asked: Sequence[Asked], brands: BrandsOf, now: datetime) -> None:
        self.asked, self.now = asked, now
        self.outcomes: dict[int, SpendOutcome] = {}
        self.parties: dict[int | None, list[int]] = {}
        self.is_committed = False
        self._brand_ids: dict[int, int] = {}
        brand_ids = _brands_of(asked, brands)
        entangled = _entangled_brands(asked, brand_ids)
        for place, (each, brand_id) in enumerate(zip(asked, brand_ids, strict=True)):
            if brand_id is None:
                self.outcomes[place] = SpendOutcome(refusal=_NOT_FOUND[each.request.subject[0]]())
            else:
                self._brand_ids[place] = brand_id
                party = None if brand_id in entangled else brand_id
                self.parties.setdefault(party, []).append(place)

    @property
    def is_one_party(self) -> bool:
        """Whether nobody else has to wait if somebody waits."""
        return len(self.parties) < 2

    def admit_together(self) -> None:
        """Decide for the brands that are free, many in one transaction."""
        brand_ids = sorted(party for party in self.parties if party is not None)
        for first in range(0, len(brand_ids), MOST_BRANDS):
            together = brand_ids[first : first + MOST_BRANDS]
            if len(together) > 1 and not self._try_together(together):
                return

    def _try_together(self, brand_ids: Sequence[int]) -> bool:
        """Whether the database is there to go on."""
        asked_of = {brand_id: self._asked_at(self.parties[brand_id]) for brand_id in brand_ids}
        try:
            decided = admit_free(asked_of, self.now)
        except UNAVAILABLE:
            if not self.is_committed:
                raise
            self.parties.clear()
            return False
        except IntegrityError:
            # One of them and a brand of another transaction met in an event id.
            return True
        except Exception:
            # A bug in one brand's entries; which one it is shows when each is alone.
            logger.exception("%s brands together: nothing of them is decided", len(brand_ids))
            return True
        for brand_id, outcomes in decided.items():
            self._take(self.parties.pop(brand_id), outcomes)
        return True

    def admit_rest(self) -> None:
        """Decide what isn't decided yet, one brand after the other, each as soon as it is free."""
        for brand_id, places in self._steps():
            try:
                decided = admit_alone(brand_id, self._asked_at(places), self.now)
            except UNAVAILABLE:
                if not self.is_committed:
                    raise
                self.parties.clear()
                return
            except Exception:
                if not self.is_committed:
                    raise
                # A bug in this brand's entries is no reason to leave the others' undecided.
                logger.exception("brand %s: nothing of it is decided", brand_id)
                continue
            self._take(places, decided)

    def _steps(self) -> Iterator[tuple[int, list[int]]]:
        """What is decided alone: a brand, or one request of those that share event ids."""
        for party, places in self.parties.items():
            for together in [places] if party is not None else ([place] for place in places):
                yield self._brand_ids[together[0]], together

    def _asked_at(self, places: Sequence[int]) -> list[Asked]:
        return [self.asked[place] for place in places]

    def _take(self, places: Sequence[int], outcomes: Sequence[SpendOutcome]) -> None:
        self.is_committed = True
        self.outcomes.update(zip(places, outcomes, strict=True))

    def told(self) -> list[SpendOutcome]:
        """Each outcome; what couldn't be decided is for its caller to ask again."""
        failed = SpendOutcome(refusal=DatabaseUnavailableError())
        return [self.outcomes.get(place, failed) for place in range(len(self.asked))]

    def told_or_put_off(self) -> list[SpendOutcome | PutOff]:
        """The same, but what isn't decided yet is put off, each party for itself."""
        put_off = {
            place: PutOff(party) for party, places in self.parties.items() for place in places
        }
        return [put_off.get(place, outcome) for place, outcome in enumerate(self.told())]


def find_brands(requests: Iterable[Request]) -> BrandsOf:
    """What has to be read to know whose brand each request is about."""
    subjects = {request.subject for request in requests}
    return BrandsOf({model: ids_of(subjects, subject) for subject, model in _MODELS.items()})


def _brands_of(asked: Sequence[Asked], brands: BrandsOf) -> list[int | None]:
    """Whose brand each request is about; `None` where its caller may see nothing by that id."""
    brand_of = brands.mapped()

    def visible_brand(each: Asked) -> int | None:
        subject, row_id = each.request.subject
        brand_id = brand_of[_MODELS[subject]].get(row_id)
        return brand_id if brand_id is not None and each.caller.may_see(brand_id) else None

    return [visible_brand(each) for each in asked]


def _entangled_brands(asked: Sequence[Asked], brand_ids: Sequence[int | None]) -> set[int]:
    """The brands that have an event id in common with another one."""
    brands_of: defaultdict[EventName, set[int]] = defaultdict(set)
    for each, brand_id in zip(asked, brand_ids, strict=True):
        if each.event and brand_id is not None:
            brands_of[each.event].add(brand_id)
    return set().union(*(brands for brands in brands_of.values() if len(brands) > 1))
