"""Does together what several threads of a process ask at the same moment.

Who finds nobody at work leads and does at once whatever has gathered, which is one's own alone when
nobody else is there: no timer, no thread of its own, nothing added for a single caller. The others
wait for their answers. What gathers meanwhile is led by the first of those who came. What the deed
puts off is done by those whose it is, so that nobody waits for another's obstacle.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Generic, TypeVar

from core.errors import DatabaseUnavailableError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class PutOff:
    """In place of an answer: to be asked again, with all of the same party and nobody else."""

    party: Hashable


class _Ticket(Generic[Asked, Answer]):
    """What one thread asks, and what becomes of it. `gate` is shut until there is news."""

    __slots__ = (
        *("answers", "asked", "error", "following", "gate", "has_left"),
        *("is_called_to_lead", "party"),
    )

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        # None or one: an answer may itself be None.
        self.answers: list[Answer] = []
        self.error: BaseException | None = None
        self.is_called_to_lead = False
        # Those with whom it was put off, itself among them; the first of them asks again.
        self.party: list[_Ticket[Asked, Answer]] = []
        # Whom to wake next, and whether it went before it could be woken itself.
        self.following: _Ticket[Asked, Answer] | None = None
        self.has_left = False
        # A bare lock is the cheapest thing that a thread can wait for.
        self.gate = threading.Lock()
        self.gate.acquire()

    @property
    def leads_party(self) -> bool:
        """Whether it is the first of those with whom it was put off."""
        return bool(self.party) and self.party[0] is self

    def answer(self) -> Answer:
        """What the deed said. Raises what it raised, or DatabaseUnavailableError if cut off."""
        if self.error is not None:
            raise self.error
        if not self.answers:
            raise DatabaseUnavailableError
        return self.answers[0]


class Coalescer(Generic[Asked, Answer]):
    """Gathers what threads ask for one deed, which answers several at once, in their order.

    The deed may raise an Exception only if it has done nothing: then each is asked again alone, so
    that nobody answers for another. `outages` are those that would only come again: they are
    everybody's. It may put some off: each party is asked again by a thread of its own while others
    lead, and is then answered. At most `most_together` go into one deed, and at most `most_waiting`
    wait, no longer than `patience_seconds`.
    """

    def __init__(
        self,
        deed: Callable[[Sequence[Asked]], Sequence[Answer | PutOff]],
        *,
        outages: tuple[type[Exception], ...] = (),
        most_together: int = 128,
        most_waiting: int = 1_024,
        patience_seconds: float = 20.0,
    ) -> None:
        self._deed, self._outages = deed, outages
        self._most_together, self._most_waiting = most_together, most_waiting
        self._patience_seconds = patience_seconds
        self._mutex = threading.Lock()
        self._waiting: deque[_Ticket[Asked, Answer]] = deque()
        self._is_led = False

    def ask(self, asked: Asked) -> Answer:
        """Ask the deed, alone or beside others; the answer to this.

        Raises what the deed raises for it, and DatabaseUnavailableError when too many wait, when it
        took too long or when the leader's work was cut off; that may have been done.
        """
        ticket: _Ticket[Asked, Answer] = _Ticket(asked)
        if self._join(ticket) or self._wait(ticket):
            self._lead(ticket)
        if ticket.leads_party:
            self._lead_party(ticket.party)
        return ticket.answer()

    def _join(self, ticket: _Ticket[Asked, Answer]) -> bool:
        """Stand in line; whether there is nobody who leads yet."""
        with self._mutex:
            if len(self._waiting) >= self._most_waiting:
                raise DatabaseUnavailableError
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        return leads

    def _wait(self, ticket: _Ticket[Asked, Answer]) -> bool:
        """Wait for news; whether they are that it is one's turn to lead."""
        try:
            if not ticket.gate.acquire(timeout=self._patience_seconds):
                raise DatabaseUnavailableError
        except BaseException:
            self._leave(ticket)
            raise
        if ticket.following:
            ticket.following.gate.release()
        return ticket.is_called_to_lead

    def _leave(self, ticket: _Ticket[Asked, Answer]) -> None:
        """Stand in line no longer; another leads if it would have been one's turn."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if ticket.is_called_to_lead:
                self._call_next()
            ticket.has_left = True
        if ticket.following:
            ticket.following.gate.release()

    def _lead(self, own: _Ticket[Asked, Answer]) -> None:
        with self._mutex:
            group = list(islice(self._waiting, self._most_together))
            for _ in group:
                self._waiting.popleft()
        try:
            self._do(group)
        finally:
            # Whatever ended this thread's work, nobody waits for it any longer.
            with self._mutex:
                self._call_next()
            self._wake(
                ticket
                for ticket in group
                if ticket is not own and (not ticket.party or ticket.leads_party)
            )

    def _lead_party(self, party: Sequence[_Ticket[Asked, Answer]]) -> None:
        try:
            self._do(party)
        finally:
            self._wake(party[1:])

    def _wake(self, tickets: Iterable[_Ticket[Asked, Answer]]) -> None:
        """Give them the news, each by the one before it.

        Only one thread can go on at a time; all that are awake would press upon the interpreter.
        """
        with self._mutex:
            waiting = [ticket for ticket in tickets if not ticket.has_left]
            for ticket, following in pairwise(waiting):
                ticket.following = following
        if waiting:
            waiting[0].gate.release()

    def _call_next(self) -> None:
        self._is_led = bool(self._waiting)
        if self._is_led:
            self._waiting[0].is_called_to_lead = True
            self._waiting[0].gate.release()

    def _do(self, group: Sequence[_Ticket[Asked, Answer]]) -> None:
        try:
            answers = self._deed([ticket.asked for ticket in group])
        except Exception as error:  # Whatever it is, it belongs to whom it was raised for.
            if len(group) == 1 or isinstance(error, self._outages):
                for ticket in group:
                    ticket.error = error
                return
            for ticket in group:
                self._do([ticket])
            return
        parties: defaultdict[Hashable, list[_Ticket[Asked, Answer]]] = defaultdict(list)
        for ticket, answer in zip(group, answers, strict=True):
            if isinstance(answer, PutOff):
                ticket.party = parties[answer.party]
                ticket.party.append(ticket)
            else:
                ticket.answers.append(answer)
