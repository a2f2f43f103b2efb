"""Threads that ask at the same moment are answered together, each with its own answer."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from core.actions.coalescing import Coalescer, PutOff, _Ticket
from core.errors import DatabaseUnavailableError

PATIENCE_SECONDS = 10.0


class Deed:
    """Answers a number with its double, and keeps what was asked together; can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.leaders: list[int] = []
        self.began = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)
        self.poison: dict[int, BaseException] = {}

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.leaders.append(threading.get_ident())
        self.began.release()
        assert self.may_go_on.acquire(timeout=PATIENCE_SECONDS)
        for number in numbers:
            if number in self.poison:
                raise self.poison[number]
        return [2 * number for number in numbers]

    def let_go(self, count: int = 100) -> None:
        self.may_go_on.release(count)


@pytest.fixture
def deed() -> Deed:
    return Deed()


class Crowd:
    """Threads that ask one after the other, each in line before the next one comes."""

    def __init__(self, coalescer: Coalescer[int, int], pool: ThreadPoolExecutor) -> None:
        self._coalescer, self._pool = coalescer, pool

    def ask(self, number: int) -> Future[int]:
        return self._pool.submit(self._coalescer.ask, number)

    def ask_in_line(self, *numbers: int) -> list[Future[int]]:
        futures = []
        for number in numbers:
            before = len(self._coalescer._waiting)
            futures.append(self.ask(number))
            wait_until(lambda before=before: len(self._coalescer._waiting) > before)  # type: ignore[misc]  # a default binds it
        return futures


def wait_until(is_so: Callable[[], bool]) -> None:
    turn = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.001)):
        if is_so():
            return
        turn.wait(0.001)
    raise AssertionError("it never came about")


def crowd(coalescer: Coalescer[int, int]) -> Crowd:
    return Crowd(coalescer, ThreadPoolExecutor(32))


def held_up(deed: Deed, crowd: Crowd, number: int = 0) -> Future[int]:
    """A leader who is in the middle of the deed."""
    leading = crowd.ask(number)
    assert deed.began.acquire(timeout=PATIENCE_SECONDS)
    return leading


def test_a_single_caller_is_answered_in_its_own_thread(deed: Deed) -> None:
    deed.let_go()
    coalescer = Coalescer(deed)
    assert [coalescer.ask(number) for number in (1, 2)] == [2, 4]
    assert deed.groups == [[1], [2]]
    assert set(deed.leaders) == {threading.get_ident()}


def test_what_gathers_while_somebody_leads_is_done_together_in_order(deed: Deed) -> None:
    waiting = crowd(Coalescer(deed))
    first = held_up(deed, waiting)
    rest = waiting.ask_in_line(*range(1, 11))
    deed.let_go()
    assert [each.result(PATIENCE_SECONDS) for each in (first, *rest)] == list(range(0, 22, 2))
    assert deed.groups == [[0], list(range(1, 11))]


def test_a_leader_leads_once_and_the_next_in_line_takes_over(deed: Deed) -> None:
    waiting = crowd(Coalescer(deed, most_together=2))
    first = held_up(deed, waiting)
    rest = waiting.ask_in_line(1, 2, 3)
    deed.may_go_on.release()
    assert first.result(PATIENCE_SECONDS) == 0, "its answer doesn't wait for the others' deeds"
    deed.let_go()
    assert [each.result(PATIENCE_SECONDS) for each in rest] == [2, 4, 6]
    assert deed.groups == [[0], [1, 2], [3]]
    assert len(set(deed.leaders)) == 3


def test_when_everybody_is_answered_the_next_one_leads_again(deed: Deed) -> None:
    deed.let_go()
    coalescer = Coalescer(deed)
    waiting = crowd(coalescer)
    for number in range(50):
        assert waiting.ask(number).result(PATIENCE_SECONDS) == 2 * number
    assert not coalescer._is_led


def test_of_too_many_the_last_is_told_at_once(deed: Deed) -> None:
    coalescer = Coalescer(deed, most_waiting=2)
    waiting = crowd(coalescer)
    first = held_up(deed, waiting)
    rest = waiting.ask_in_line(1, 2)
    with pytest.raises(DatabaseUnavailableError):
        coalescer.ask(3)
    deed.let_go()
    assert [each.result(PATIENCE_SECONDS) for each in (first, *rest)] == [0, 2, 4]
    assert deed.groups == [[0], [1, 2]]


@pytest.mark.parametrize("poisoned", [[1], [2], [3], [1, 3]])
def test_a_fault_is_its_own_askers_only(deed: Deed, poisoned: list[int]) -> None:
    deed.poison = {number: ValueError(number) for number in poisoned}
    waiting = crowd(Coalescer(deed))
    first = held_up(deed, waiting)
    rest = waiting.ask_in_line(1, 2, 3)
    deed.let_go()
    assert first.result(PATIENCE_SECONDS) == 0
    for number, each in enumerate(rest, start=1):
        error = each.exception(PATIENCE_SECONDS)
        assert error is deed.poison.get(number)
        assert error or each.result() == 2 * number
    assert deed.groups == [[0], [1, 2, 3], [1], [2], [3]]


def test_an_outage_is_everybodys_and_tried_once(deed: Deed) -> None:
    deed.poison = {2: ConnectionError("gone")}
    waiting = crowd(Coalescer(deed, outages=(ConnectionError,)))
    held_up(deed, waiting)
    rest = waiting.ask_in_line(1, 2, 3)
    deed.let_go()
    assert [type(each.exception(PATIENCE_SECONDS)) for each in rest] == [ConnectionError] * 3
    assert deed.groups == [[0], [1, 2, 3]]


def test_nobody_waits_for_a_leader_that_was_cut_off(deed: Deed) -> None:
    deed.poison = {2: SystemExit()}
    coalescer = Coalescer(deed)
    waiting = crowd(coalescer)
    held_up(deed, waiting)
    rest = waiting.ask_in_line(1, 2, 3)
    deed.let_go()
    # It was the leader: the first in line.
    kinds = [type(each.exception(PATIENCE_SECONDS)) for each in rest]
    assert kinds == [SystemExit, DatabaseUnavailableError, DatabaseUnavailableError]
    assert coalescer.ask(4) == 8


def test_who_waits_too_long_leaves_the_line_and_nothing_is_done_for_it(deed: Deed) -> None:
    coalescer = Coalescer(deed, patience_seconds=0.05)
    waiting = crowd(coalescer)
    first = held_up(deed, waiting)
    assert isinstance(waiting.ask(1).exception(PATIENCE_SECONDS), DatabaseUnavailableError)
    deed.let_go()
    assert first.result(PATIENCE_SECONDS) == 0
    assert coalescer.ask(2) == 4
    assert deed.groups == [[0], [2]]


def test_who_waits_too_long_for_a_deed_that_began_may_have_been_done(deed: Deed) -> None:
    coalescer = Coalescer(deed, patience_seconds=0.2)
    waiting = crowd(coalescer)
    first = held_up(deed, waiting)
    led, followed = waiting.ask_in_line(1, 2)
    deed.may_go_on.release()
    assert deed.began.acquire(timeout=PATIENCE_SECONDS)
    assert isinstance(followed.exception(PATIENCE_SECONDS), DatabaseUnavailableError)
    deed.let_go()
    assert [first.result(PATIENCE_SECONDS), led.result(PATIENCE_SECONDS)] == [0, 2]
    assert coalescer.ask(3) == 6
    assert deed.groups == [[0], [1, 2], [3]]


class Particular(Deed):
    """A deed that puts off what is odd while there is anything else, a party for each tens place.

    A party alone is held up apart from the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parties: list[list[int]] = []
        self.party_may_go_on = threading.Semaphore(0)
        self.party_poison: dict[int, BaseException] = {}

    def decide(self, numbers: Sequence[int]) -> list[int | PutOff]:
        parties = {number // 10 for number in numbers if number % 2}
        if len(parties) == 1 and all(number % 2 for number in numbers):
            self.parties.append(list(numbers))
            assert self.party_may_go_on.acquire(timeout=PATIENCE_SECONDS)
            for number in numbers:
                if number in self.party_poison:
                    raise self.party_poison[number]
            return [2 * number for number in numbers]
        answers = self(numbers)
        pairs = zip(numbers, answers, strict=True)
        return [PutOff(number // 10) if number % 2 else answer for number, answer in pairs]


def test_what_is_put_off_holds_up_neither_the_others_nor_the_next_ones() -> None:
    deed = Particular()
    waiting = crowd(Coalescer(deed.decide))
    first = held_up(deed, waiting)
    # The leader is of a party that is put off, too.
    odd, even, same_party, other_party = waiting.ask_in_line(1, 2, 3, 11)
    deed.let_go()
    assert [first.result(PATIENCE_SECONDS), even.result(PATIENCE_SECONDS)] == [0, 4]
    assert waiting.ask(4).result(PATIENCE_SECONDS) == 8
    wait_until(lambda: len(deed.parties) == 2)
    assert sorted(deed.parties) == [[1, 3], [11]]
    assert not any(each.done() for each in (odd, same_party, other_party))
    deed.party_may_go_on.release(2)
    put_off = [each.result(PATIENCE_SECONDS) for each in (odd, same_party, other_party)]
    assert put_off == [2, 6, 22]
    assert deed.groups == [[0], [1, 2, 3, 11], [4]]


def test_a_fault_in_a_party_is_its_own_askers_only() -> None:
    deed = Particular()
    deed.party_poison = {3: ValueError("three")}
    deed.party_may_go_on.release(100)
    waiting = crowd(Coalescer(deed.decide))
    held_up(deed, waiting)
    rest = waiting.ask_in_line(2, 1, 3, 5)
    deed.let_go()
    errors = [each.exception(PATIENCE_SECONDS) for each in rest]
    assert errors == [None, None, deed.party_poison[3], None]
    assert [each.result() for each in rest if not each.exception()] == [4, 2, 10]
    assert deed.parties == [[1, 3, 5], [1], [3], [5]]


def test_nobody_waits_for_a_leader_of_a_party_that_was_cut_off() -> None:
    deed = Particular()
    deed.party_poison = {1: SystemExit()}
    deed.party_may_go_on.release(100)
    coalescer = Coalescer(deed.decide)
    waiting = crowd(coalescer)
    held_up(deed, waiting)
    rest = waiting.ask_in_line(2, 1, 3)
    deed.let_go()
    kinds = [type(each.exception(PATIENCE_SECONDS)) for each in rest]
    assert kinds == [type(None), SystemExit, DatabaseUnavailableError]
    assert coalescer.ask(4) == 8


def test_many_threads_get_their_own_answers() -> None:
    def double(numbers: Sequence[int]) -> list[int]:
        return [2 * number for number in numbers]

    coalescer = Coalescer(double, most_together=5)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(coalescer.ask, range(20_000)))
    assert answers == list(range(0, 40_000, 2))
    assert not coalescer._waiting
    assert not coalescer._is_led


def test_many_threads_get_their_own_answers_when_some_are_put_off() -> None:
    def double(numbers: Sequence[int]) -> list[int | PutOff]:
        parties = {number % 7 for number in numbers}
        return [
            PutOff(number % 7) if number % 7 < 3 and len(parties) > 1 else 2 * number
            for number in numbers
        ]

    coalescer = Coalescer(double, most_together=5)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(coalescer.ask, range(20_000)))
    assert answers == list(range(0, 40_000, 2))
    assert not coalescer._waiting
    assert not coalescer._is_led


# --- Followers are woken one by the other ------------------------------------------------------


def test_who_gave_up_during_the_deed_keeps_nobody_from_the_news(deed: Deed) -> None:
    coalescer = Coalescer(deed, patience_seconds=PATIENCE_SECONDS)
    people = crowd(coalescer)
    first = held_up(deed, people)
    before, after = [], []
    for number in (1, 2, 3):
        coalescer._patience_seconds = 0.1 if number == 2 else PATIENCE_SECONDS
        before += people.ask_in_line(number)
    deed.let_go(1)
    assert deed.began.acquire(timeout=PATIENCE_SECONDS)
    assert deed.groups[1] == [1, 2, 3]
    with pytest.raises(DatabaseUnavailableError):
        before[1].result(PATIENCE_SECONDS)
    after += people.ask_in_line(4)
    deed.let_go()
    answered = [first, before[0], before[2], *after]
    assert [each.result(PATIENCE_SECONDS) for each in answered] == [0, 2, 6, 8]


def test_who_gives_up_between_the_news_and_its_turn_passes_them_on(deed: Deed) -> None:
    coalescer = Coalescer(deed)
    one, two, three = (_Ticket[int, int](number) for number in range(3))
    coalescer._wake([one, two, three])
    assert not two.gate.acquire(blocking=False)
    assert not three.gate.acquire(blocking=False)
    coalescer._leave(two)
    assert three.gate.acquire(blocking=False)
    assert not coalescer._wait(one)


def test_who_had_given_up_before_the_news_is_passed_over(deed: Deed) -> None:
    coalescer = Coalescer(deed)
    one, two, three = (_Ticket[int, int](number) for number in range(3))
    coalescer._leave(two)
    coalescer._wake([one, two, three])
    assert not coalescer._wait(one)
    assert three.gate.acquire(blocking=False)
