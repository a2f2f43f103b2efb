"""Records lines of a file of spend as reports (C19), all of one brand, or foretells what would be.

Everything is admitted by `admit_spends`; here campaigns get found by name or created.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.actions.caller import Caller
from core.actions.campaigns import create_campaign
from core.actions.spend import admit_batch
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.enums import SpendKind
from core.errors import EventIdReusedError, InvalidFieldError, InvalidInputError
from core.queries.campaigns import map_campaign_names
from core.queries.spend import map_event_answers
from core.rules.admission import check_occurred_at
from core.rules.spend_import import CAMPAIGN, SpendLine


@dataclass(frozen=True, slots=True)
class SpendImport:
    """Where lines go. Event ids are unique in the brand's imports, whatever the file's name."""

    brand_id: int
    now: datetime
    late_limit: timedelta
    creates_campaigns: bool = False

    @property
    def caller(self) -> Caller:
        """Who records the lines; sees nothing but this brand."""
        return Caller(f"import:{self.brand_id}", frozenset({self.brand_id}))


def import_spend_lines(lines: Sequence[SpendLine], into: SpendImport) -> list[SpendOutcome]:
    """Record each line once, however often it is handed in; outcomes in the order of the lines.

    One transaction for all lines, besides those that create campaigns.
    """
    campaigns = map_campaign_names(into.brand_id, {line.campaign for line in lines})
    if into.creates_campaigns:
        for name in _missing(lines, campaigns):
            campaign = create_campaign(
                into.brand_id, {"name": name}, caller=into.caller, now=into.now
            )
            campaigns[name] = campaign.pk
    known = [line for line in lines if line.campaign in campaigns]
    requests = [_request(line, campaigns[line.campaign]) for line in known]
    outcomes = admit_batch(requests, caller=into.caller, now=into.now, late_limit=into.late_limit)
    by_line = {line.number: outcome for line, outcome in zip(known, outcomes, strict=True)}
    return [by_line.get(line.number) or _unknown_campaign(line) for line in lines]


def _missing(lines: Sequence[SpendLine], campaigns: Collection[str]) -> list[str]:
    """The campaigns to create, each once, in the order of the lines."""
    return list(dict.fromkeys(line.campaign for line in lines if line.campaign not in campaigns))


def _request(line: SpendLine, campaign_id: int) -> SpendRequest:
    return SpendRequest(
        campaign_id=campaign_id,
        amount=line.amount,
        kind=SpendKind.REPORT,
        occurred_at=line.occurred_at,
        event_id=line.event_id,
    )


def _unknown_campaign(line: SpendLine) -> SpendOutcome:
    problem = f'the brand has no campaign "{line.campaign}"; pass --create-campaigns to create it'
    return SpendOutcome(refusal=InvalidFieldError(CAMPAIGN, problem))


@dataclass(slots=True)
class SpendForecast:
    """What an import would do: reads, and remembers the lines before, but writes nothing."""

    into: SpendImport
    _campaigns: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)

    def foretell_spend_lines(self, lines: Sequence[SpendLine]) -> list[SpendOutcome]:
        """The outcomes that these lines would have; an answer without content if recorded."""
        names = {line.campaign for line in lines}
        self._campaigns |= map_campaign_names(self.into.brand_id, names)
        if self.into.creates_campaigns:
            for name in _missing(lines, self._campaigns):
                self._campaigns[name] = -1 - len(self._campaigns)
        source = self.into.caller.source
        answers = map_event_answers((source, line.event_id) for line in lines)
        self._seen |= {event_id: each.fingerprint for (_, event_id), each in answers.items()}
        return [self._foretell(line) for line in lines]

    def _foretell(self, line: SpendLine) -> SpendOutcome:
        if line.campaign not in self._campaigns:
            return _unknown_campaign(line)
        request = _request(line, self._campaigns[line.campaign])
        if line.event_id in self._seen:
            if self._seen[line.event_id] != request.fingerprint:
                return SpendOutcome(refusal=EventIdReusedError())
            return SpendOutcome(is_replay=True)
        try:
            check_occurred_at(line.occurred_at, self.into.now, self.into.late_limit)
        except InvalidInputError as refusal:
            return SpendOutcome(refusal=refusal)
        self._seen[line.event_id] = request.fingerprint
        return SpendOutcome()
