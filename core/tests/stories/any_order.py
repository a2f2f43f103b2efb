"""The whole system in any order, beside the same on paper: compared after every single step.

Hypothesis draws the steps; when one breaks a promise it finds the shortest way there and prints
it as calls that can be pasted. What one process can't see is left to `core/tests/races`.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.actions.brands import archive_brand, edit_brand
from core.actions.campaigns import (
    archive_campaign,
    edit_campaign,
    pause_campaign,
    resume_campaign,
)
from core.actions.catch_up import catch_up
from core.actions.spend_requests import SpendOutcome
from core.errors import BudgetManagerError
from core.models import Brand, Campaign, EventAnswer, Hold
from core.queries.locks import lock_brand
from core.tests.actions.tasks import DEEDS, run
from core.tests.builders import CALLER, make_brand, make_campaign, undone
from core.tests.races.audit import audit
from core.tests.stories import wishes
from core.tests.stories.agreement import (
    Rows,
    demand_holds,
    demand_log,
    demand_told,
    demand_totals,
    demand_verdicts,
    stored_rows,
)
from core.tests.stories.on_paper import (
    BEGINNING,
    Paper,
    PaperBrand,
    PaperCampaign,
    Wish,
    next_midnight,
)
from core.tests.stories.wishes import (
    Drawn,
    Settings,
    as_batch,
    as_single,
    brand_changes,
    campaign_changes,
)

MOST_CAMPAIGNS = 6
ARCHIVED = {"is_archived": True, "is_enabled": False}


class AnyOrder(RuleBasedStateMachine):
    """Two brands, whoever asks something of them, all unattended work, and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.paper = Paper()
        self.now = wishes.STARTS[0]
        # Brands of which nothing can be due: somebody has been there since time moved on.
        self.caught_up: set[int] = set()
        # Brands whose verdicts may be other ones than those that were compared last.
        self.doubted: set[int] = set()
        self.sent: list[Wish] = []
        self.undoing = ExitStack()
        self.undoing.enter_context(undone())

    def teardown(self) -> None:
        self.undoing.close()

    @initialize(start=st.sampled_from(wishes.STARTS), drawn=st.tuples(*[wishes.budgeted_brand] * 2))
    def open_two_brands(self, start: datetime, drawn: tuple[Settings, Settings]) -> None:
        self.now = start
        for settings in drawn:
            brand = make_brand(now=start, **brand_changes(settings))
            zones = ((BEGINNING, settings["time_zone"]),)
            budgets = {name: v for name, v in settings.items() if name != "time_zone"}
            self.paper.brands.append(PaperBrand(brand.pk, zones, **budgets))
        for owner in (0, 0, 1):
            self._add_campaign(self.paper.brands[owner], {})

    def _add_campaign(self, brand: PaperBrand, settings: Settings) -> None:
        owner = Brand.objects.get(pk=brand.number)
        made = make_campaign(owner, now=self.now, **campaign_changes(settings))
        self.paper.campaigns.append(PaperCampaign(made.pk, brand, **settings))
        self.caught_up.add(brand.number)
        self.doubted.add(brand.number)

    # --- Spend ---------------------------------------------------------------------------

    @rule(drawn=wishes.adds)
    def add(self, drawn: Drawn) -> None:
        self._ask_alone(drawn)

    @rule(drawn=wishes.reports)
    def report(self, drawn: Drawn) -> None:
        self._ask_alone(drawn)

    @rule(drawn=wishes.holds)
    def hold(self, drawn: Drawn) -> None:
        self._ask_alone(drawn)

    @precondition(lambda self: self.paper.holds)
    @rule(drawn=wishes.ends)
    def end_a_hold(self, drawn: Drawn) -> None:
        self._ask_alone(drawn)

    @precondition(lambda self: self.paper.entries)
    @rule(drawn=wishes.refunds)
    def refund(self, drawn: Drawn) -> None:
        self._ask_alone(drawn)

    @rule(drawn=st.lists(wishes.any_of_them, min_size=2, max_size=6))
    def batch(self, drawn: list[Drawn]) -> None:
        named = [wish for each in drawn if (wish := each.name(self.paper, self.now))]
        if named:
            self._ask(named, lambda: as_batch(named, self.now))

    @precondition(lambda self: self.sent)
    @rule(pick=wishes.picks)
    def send_again(self, pick: int) -> None:
        wish = self.sent[pick % len(self.sent)]
        self._ask([wish], lambda: [as_single(wish, self.now)])

    def _ask_alone(self, drawn: Drawn) -> None:
        if wish := drawn.name(self.paper, self.now):
            self._ask([wish], lambda: [as_single(wish, self.now)])

    def _ask(self, asked: Sequence[Wish], send: Callable[[], list[SpendOutcome]]) -> None:
        """Ask the product and the paper, and hold every answer to what the paper says."""
        owners = [self.paper.whose(wish).brand for wish in asked]
        self.doubted.update(owner.number for owner in owners)
        allowed = self._what_a_refusal_may_leave(owners)
        outcomes = send()
        told = [self.paper.ask(wish, self.now) for wish in asked]
        for outcome, expected in zip(outcomes, told, strict=True):
            demand_told(outcome, expected)
        self.sent += [wish for wish in asked if wish.event]
        if all(each.code or each.is_replay for each in told):
            assert stored_rows() in allowed, f"a refusal changed something: {told}"
        for owner, expected in zip(owners, told, strict=True):
            if not expected.code and not expected.is_replay:
                self._demand_stored_verdicts(owner)

    # --- Settings ------------------------------------------------------------------------

    @rule(pick=wishes.picks, settings=wishes.of_brand)
    def edit_brand(self, pick: int, settings: Settings) -> None:
        brand = self.paper.brands[pick % 2]
        code = self.paper.edit_brand(brand, settings, self.now)
        changes = brand_changes(settings)
        self._change(
            brand, lambda: edit_brand(brand.number, changes, caller=CALLER, now=self.now), code
        )

    @rule(pick=wishes.picks, drawn=wishes.of_campaign)
    def edit_campaign(self, pick: int, drawn: Settings) -> None:
        campaign = self._campaign(pick)
        settings = wishes.with_edges_at(drawn, self.now)
        code = self.paper.edit_campaign(campaign, settings)
        changes = campaign_changes(settings)
        self._change(
            campaign.brand,
            lambda: edit_campaign(campaign.number, changes, caller=CALLER, now=self.now),
            code,
        )

    @rule(pick=wishes.picks, is_enabled=wishes.mostly)
    def pause_or_resume(self, pick: int, is_enabled: bool) -> None:
        campaign = self._campaign(pick)
        deed = resume_campaign if is_enabled else pause_campaign
        code = self.paper.edit_campaign(campaign, {"is_enabled": is_enabled})
        self._change(
            campaign.brand, lambda: deed(campaign.number, caller=CALLER, now=self.now), code
        )

    @precondition(lambda self: sum(not each.is_gone for each in self.paper.campaigns) > 1)
    @rule(pick=wishes.picks)
    def archive(self, pick: int) -> None:
        campaign = self._campaign(pick)
        brand = campaign.brand
        deed: Callable[..., None]
        if pick < MOST_CAMPAIGNS:
            code = self.paper.edit_campaign(campaign, ARCHIVED)
            number, deed = campaign.number, archive_campaign
        else:
            code = self.paper.edit_brand(brand, ARCHIVED, self.now)
            number, deed = brand.number, archive_brand
        self._change(brand, lambda: deed(number, caller=CALLER, now=self.now), code)

    @precondition(lambda self: len(self.paper.campaigns) < MOST_CAMPAIGNS)
    @rule(pick=wishes.picks, settings=wishes.budgeted_campaign)
    def create_campaign(self, pick: int, settings: Settings) -> None:
        brand = self.paper.brands[pick % 2]
        if not brand.is_archived:
            self._add_campaign(brand, settings)

    def _campaign(self, pick: int) -> PaperCampaign:
        return self.paper.campaigns[pick % len(self.paper.campaigns)]

    def _change(self, brand: PaperBrand, deed: Callable[[], object], code: str | None) -> None:
        """Do it; it is refused by this code and then changes nothing, or it isn't."""
        before = stored_rows()
        self.doubted.add(brand.number)
        refused = None
        try:
            deed()
        except BudgetManagerError as error:
            refused = error.code
        assert refused == code
        if refused:
            assert stored_rows() == before, f"{refused} changed something"
        else:
            self.caught_up.add(brand.number)
            self._demand_stored_verdicts(brand)

    # --- Time and unattended work --------------------------------------------------------

    @rule(jump=wishes.jumps)
    def wait(self, jump: timedelta) -> None:
        self._move_on(self.now + jump)

    @rule(pick=wishes.picks, off=st.sampled_from([-1, 0, 1, 240]))
    def wait_for_a_midnight(self, pick: int, off: int) -> None:
        midnight = next_midnight(self.paper.brands[pick % 2].time_zones, self.now)
        self._move_on(max(self.now, midnight + timedelta(seconds=off)))

    def _move_on(self, now: datetime) -> None:
        self.now = now
        self.caught_up.clear()
        self.doubted.update(brand.number for brand in self.paper.brands)

    @rule(name=st.sampled_from(sorted(DEEDS)))
    def run_a_task_twice(self, name: str) -> None:
        self._run(name)
        once = stored_rows()
        self._run(name)
        assert stored_rows() == once, f"{name} isn't the same twice (C26)"

    @rule(order=st.permutations(sorted(DEEDS)))
    def run_all_tasks(self, order: list[str]) -> None:
        for name in order:
            self._run(name)
        self.caught_up.update(brand.number for brand in self.paper.brands)
        for campaign in Campaign.objects.filter(archived_at=None):
            paper = self.paper.campaign(campaign.pk)
            expected = self.paper.reasons(paper, self.now)
            stored = ([reason.value for reason in campaign.reasons], campaign.is_active)
            assert stored == (expected, not expected)
        audit(self.now)

    def _run(self, name: str) -> None:
        failed = run(name, self.now)["failed"]
        assert failed == 0
        self.doubted.update(brand.number for brand in self.paper.brands)

    # --- What holds after every step -----------------------------------------------------

    @invariant()
    def everything_agrees_with_the_paper(self) -> None:
        states = self._stored_states()
        demand_log(self.paper)
        demand_holds(self.paper, states)
        demand_totals(self.paper, states)
        demand_verdicts(self.paper, states, self.doubted, now=self.now)
        self.doubted.clear()
        kept = {(f"test:{caller}", event) for caller, event in self.paper.answers}
        assert set(EventAnswer.objects.values_list("source", "event_id")) == kept

    def _stored_states(self) -> dict[int, str]:
        """What is stored of each hold: as on paper, or open until somebody comes by."""
        stored = dict(Hold.objects.values_list("id", "state"))
        states = {}
        for hold in self.paper.holds:
            state = hold.state(self.now)
            is_unswept = (stored.get(hold.number), state) == ("open", "expired")
            if is_unswept and hold.campaign.brand.number not in self.caught_up:
                state = "open"
            states[hold.number] = state
        return states

    def _demand_stored_verdicts(self, brand: PaperBrand) -> None:
        """Right at the commit, for every campaign of the brand (C16)."""
        self.caught_up.add(brand.number)
        for campaign in Campaign.objects.filter(brand=brand.number, archived_at=None):
            expected = self.paper.reasons(self.paper.campaign(campaign.pk), self.now)
            assert campaign.is_active == (not expected), f"{campaign}: {expected}"

    def _what_a_refusal_may_leave(self, brands: Sequence[PaperBrand]) -> list[Rows]:
        """What is stored now; and the same once time alone has been caught up with."""
        allowed = [stored_rows()]
        behind = {brand.number for brand in brands} - self.caught_up
        if behind:
            with undone():
                for number in sorted(behind):
                    catch_up(lock_brand(number), self.now)
                allowed.append(stored_rows())
        return allowed
