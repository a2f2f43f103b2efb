"""Pages show each row once whatever happens between them, in one order on both databases (C30)."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enums import Reason, SpendKind
from core.models import Brand, Campaign, SpendLog
from core.queries.brands import BRAND_ORDERINGS, BrandFilter, list_brands
from core.queries.campaigns import (
    CAMPAIGN_ORDERINGS,
    CampaignFilter,
    get_campaign_page,
    list_campaigns,
)
from core.queries.spend import (
    SPEND_LOG_ORDERINGS,
    SpendLogFilter,
    get_spend_log_page,
    list_spend_logs,
)
from core.rules.ordering import KeyKind, Ordering, Place, format_cursor, parse_cursor
from core.tests.builders import NOON, TODAY, add, make_campaign, undone
from core.tests.depth import examples
from core.tests.rules.zones import SECOND

pytestmark = pytest.mark.django_db

only_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite knows one order"
)
# A name and an instant.
Row = tuple[str, datetime | None]
# What to do, to which campaign, with what.
CampaignChange = tuple[str, int, Row]
# Few values, so that many are equal; capitals, accents and letters beyond 16 bits.
NAMES = (
    "a",
    "A",
    "b",
    "B",
    "aa",
    "a b",
    "Z",
    "ä",
    "a\u0308",
    "Ä",
    "é",
    "ß",
    "東京",
    "\uffee",
    "🙂",
)
names = st.sampled_from(NAMES)
instants = st.sampled_from([NOON + number * SECOND / 2 for number in range(5)])
campaign_row = st.tuples(names, st.none() | instants)
campaign_rows = st.lists(campaign_row, max_size=10)
kinds = st.sampled_from(["insert", "rename", "move", "archive"])
changes = st.lists(
    st.lists(st.tuples(kinds, st.integers(0, 20), campaign_row), max_size=2),
    max_size=6,
)
sizes = st.integers(1, 4)


# --- The order -----------------------------------------------------------------------------


def test_names_are_in_the_order_of_their_code_points_on_both_databases() -> None:
    assert_names_in_order()


@only_postgres
def test_names_are_so_too_where_the_database_was_set_up_for_a_language() -> None:
    collate_names_by_language()
    assert_names_in_order()


@only_postgres
def test_postgresql_is_told_the_order_of_names_and_not_asked_for_its_own() -> None:
    chosen = BrandFilter(ordering=BRAND_ORDERINGS["name"], after=("a", 1))
    where, _, order = str(list_brands(NOON, chosen).query).rpartition("ORDER BY")
    assert where.count('"name") COLLATE "C" >') == 2
    assert '"name") COLLATE "C" ASC' in order


def assert_names_in_order() -> None:
    Brand.objects.bulk_create(Brand(name=name, created_at=NOON) for name in reversed(NAMES))
    assert list_names("name") == sorted(NAMES)
    assert list_names("-name") == sorted(NAMES, reverse=True)
    for name in NAMES:
        beyond = [other for other in sorted(NAMES) if other > name]
        assert list_names("name", (name, 10**9)) == beyond


def list_names(order: str, after: Place | None = None) -> list[str]:
    chosen = BrandFilter(ordering=BRAND_ORDERINGS[order], after=after)
    return [brand.name for brand in list_brands(NOON, chosen)]


def collate_names_by_language() -> None:
    """Set the column up as in a database that was made for people who read English."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collname FROM pg_collation WHERE collname IN ('en-x-icu', 'en_US.utf8')"
        )
        found = cursor.fetchone()
        if found is None:
            pytest.skip("this PostgreSQL knows no language")
        name = f'COLLATE "{found[0]}"'
        cursor.execute(f"ALTER TABLE core_brand ALTER name TYPE varchar(200) {name}")
        cursor.execute(f"SELECT 'a' {name} < 'B' {name}")
        assert cursor.fetchone() == (True,), "otherwise this proves nothing"


def test_what_is_equal_is_ordered_by_id_in_the_same_direction() -> None:
    ids = [row.pk for row in make_campaigns([("same", NOON)] * 4)]
    for order in CAMPAIGN_ORDERINGS.values():
        listed = list_campaigns(NOON, CampaignFilter(ordering=order))
        expected = ids[::-1] if order.is_descending else ids
        assert [campaign.pk for campaign in listed] == expected


def test_campaigns_without_an_instant_come_last_in_either_direction() -> None:
    late, none, early, empty = make_campaigns(
        [("a", NOON), ("b", None), ("c", NOON - SECOND), ("d", None)]
    )
    for name, expected in (
        ("status_since", [early, late, none, empty]),
        ("-status_since", [late, early, empty, none]),
    ):
        ordering = CAMPAIGN_ORDERINGS[name]
        for number in range(5):
            after = ordering.place(expected[number - 1]) if number else None
            rest = CampaignFilter(ordering=ordering, after=after)
            assert list(list_campaigns(NOON, rest)) == expected[number:]


# --- Pages while things change ---------------------------------------------------------------


def test_paging_campaigns_shows_each_that_stayed_where_it_was_exactly_once() -> None:
    @settings(max_examples=examples(150, deep=500))
    @given(campaign_rows, st.sampled_from(list(CAMPAIGN_ORDERINGS.values())), sizes, changes)
    def compare(
        made: list[Row], ordering: Ordering, size: int, later: list[list[CampaignChange]]
    ) -> None:
        with undone():
            stayed = {campaign.pk for campaign in make_campaigns(made)}
            batches = iter(later)
            shown = walk(
                lambda after: list_campaigns(NOON, CampaignFilter(ordering=ordering, after=after)),
                ordering,
                size,
                lambda: stayed.difference_update(map(change_campaign, next(batches, []))),
            )
            assert_each_once(list(shown), ordering, stayed)

    compare()


def change_campaign(change: CampaignChange) -> int | None:
    """Insert, rename, move or archive; the id of the campaign that was touched."""
    kind, number, (name, since) = change
    ids = list(Campaign.objects.order_by("id").values_list("id", flat=True))
    if kind == "insert" or not ids:
        make_campaigns([(name, since)])
        return None
    chosen = Campaign.objects.filter(pk=ids[number % len(ids)])
    match kind:
        case "rename":
            chosen.update(name=name)
        case "move":
            chosen.update(status_since=since)
        case _:
            chosen.update(archived_at=NOON, is_enabled=False)
    return ids[number % len(ids)]


def make_campaigns(rows: list[Row]) -> list[Campaign]:
    """With these names and instants, each of a brand of its own, so that names may be equal."""
    first = Brand.objects.count()
    brands = Brand.objects.bulk_create(
        Brand(name=f"{first + number}", created_at=NOON) for number in range(len(rows))
    )
    return Campaign.objects.bulk_create(
        Campaign(brand=brand, name=name, status_since=since, created_at=NOON)
        for brand, (name, since) in zip(brands, rows, strict=True)
    )


def test_paging_the_log_shows_each_entry_exactly_once() -> None:
    campaign = make_campaign()

    @settings(max_examples=examples(100, deep=500))
    @given(
        st.lists(instants, max_size=10),
        st.sampled_from(list(SPEND_LOG_ORDERINGS.values())),
        sizes,
        st.lists(st.lists(instants, max_size=2), max_size=6),
    )
    def compare(
        made: list[datetime], ordering: Ordering, size: int, later: list[list[datetime]]
    ) -> None:
        with undone():
            stayed = {row.pk for row in make_entries(campaign, made)}
            batches = iter(later)
            shown = walk(
                lambda after: list_spend_logs(SpendLogFilter(ordering=ordering, after=after)),
                ordering,
                size,
                lambda: make_entries(campaign, next(batches, [])),
            )
            assert_each_once(list(shown), ordering, stayed)

    compare()


def make_entries(campaign: Campaign, instants: list[datetime]) -> list[SpendLog]:
    return SpendLog.objects.bulk_create(
        SpendLog(
            brand_id=campaign.brand_id,
            campaign=campaign,
            kind="add",
            amount=1,
            over_budget=0,
            currency="USD",
            budget_day=TODAY,
            occurred_at=at,
            recorded_at=NOON,
            source="test:ann",
        )
        for at in instants
    )


def walk(
    list_after: Callable[[Place | None], QuerySet[Any]],
    ordering: Ordering,
    size: int,
    change: Callable[[], object],
) -> Iterator[tuple[Place, int]]:
    """Read page after page with a change between them; the key and id of each row shown."""
    after = None
    while page := list(list_after(after)[:size]):
        yield from ((ordering.place(row), row.pk) for row in page)
        cursor = format_cursor("rows", ordering, ordering.place(page[-1]))
        after = parse_cursor(cursor, "rows", ordering)
        change()


def assert_each_once(shown: list[tuple[Place, int]], ordering: Ordering, stayed: set[int]) -> None:
    keys = [key for key, _ in shown]
    assert keys == in_order(keys, ordering), "the order was kept across the pages"
    assert len(set(keys)) == len(keys), "no row is shown twice in the same place"
    ids = [row_id for _, row_id in shown]
    assert [ids.count(row_id) for row_id in sorted(stayed)] == [1] * len(stayed)


def in_order(keys: list[Place], ordering: Ordering) -> list[Place]:
    """The keys as Python sorts them, those without a value last."""
    valued = sorted((key for key in keys if key[0] is not None), reverse=ordering.is_descending)
    empty = sorted((key for key in keys if key[0] is None), reverse=ordering.is_descending)
    return valued + empty


# --- Indexes ---------------------------------------------------------------------------------

LOG_FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"campaign_id": 1},
    {"brand_id": 1},
    {"brand_ids": {1}},
    {"brand_ids": {1, 2}},
    {"budget_day": TODAY},
    {"occurred_from": NOON, "occurred_until": NOON + SECOND},
    {"kind": SpendKind.REFUND},
    {"kind": SpendKind.ADD},
    {"is_over_budget": True},
    {"is_over_budget": False},
    {"event_id": "a"},
    {"campaign_id": 1, "kind": SpendKind.REFUND, "is_over_budget": True},
    {"campaign_id": 1, "budget_day": TODAY},
    {"campaign_id": 1, "brand_id": 1, "brand_ids": {1}, "occurred_from": NOON},
    {"brand_id": 1, "budget_day": TODAY, "event_id": "a"},
    {"brand_id": 1, "budget_day": TODAY, "kind": SpendKind.REPORT},
)
CAMPAIGN_FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"brand_id": 1},
    {"brand_ids": {1, 2}},
    {"is_active": False},
    {"is_enabled": False, "reason": Reason.ENDED},
    {"brand_id": 1, "search": "a", "is_active": True},
)


@pytest.mark.parametrize("order", SPEND_LOG_ORDERINGS)
@pytest.mark.parametrize("chosen", LOG_FILTERS)
def test_no_page_of_the_log_is_sorted_or_read_whole(chosen: dict[str, Any], order: str) -> None:
    campaign = make_campaign()
    add(campaign, "1", event_id="a")
    chosen = chosen | ({"campaign_id": campaign.pk} if "campaign_id" in chosen else {})
    chosen = chosen | ({"brand_id": campaign.brand_id} if "brand_id" in chosen else {})
    if "brand_ids" in chosen:
        chosen = chosen | {"brand_ids": {campaign.brand_id, *range(2, len(chosen["brand_ids"]))}}
    ordering = SPEND_LOG_ORDERINGS[order]
    after = (7,) if ordering.kind is KeyKind.ID else (NOON, 7)
    # An event has at most one entry of each source: those are sorted.
    is_few = "event_id" in chosen
    for place in (None, after):
        wanted = SpendLogFilter(**chosen, ordering=ordering, after=place)
        plans = plans_of(partial(get_spend_log_page, wanted, 2), "core_spendlog")
        assert plans
        for plan in plans:
            assert_in_order_of_an_index(plan, "core_spendlog", is_few=is_few)


@pytest.mark.parametrize("order", CAMPAIGN_ORDERINGS)
@pytest.mark.parametrize("chosen", CAMPAIGN_FILTERS)
def test_no_page_of_campaigns_is_sorted_or_read_whole(chosen: dict[str, Any], order: str) -> None:
    make_campaign()
    ordering = CAMPAIGN_ORDERINGS[order]
    afters: dict[KeyKind, list[Place]] = {
        KeyKind.ID: [(7,)],
        KeyKind.TEXT: [("a", 7)],
        KeyKind.OPTIONAL_INSTANT: [(NOON, 7), (None, 7)],
    }
    for place in (None, *afters[ordering.kind]):
        wanted = CampaignFilter(**chosen, ordering=ordering, after=place)
        plans = plans_of(partial(get_campaign_page, NOON, wanted, 2), "core_campaign")
        assert plans
        for plan in plans:
            assert_in_order_of_an_index(plan, "core_campaign")


def plans_of(read: Callable[[], object], table: str) -> list[str]:
    """How each statement on this table is carried out where there are many rows."""
    with CaptureQueriesContext(connection) as queries:
        read()
    statements = [query["sql"] for query in queries]
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    plans = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # An empty table is sooner read whole and sorted.
            for shortcut in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{shortcut} = off")
        for statement in statements:
            if f'FROM "{table}"' in statement:
                cursor.execute(f"{explain} {statement}")
                plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    return plans


def assert_in_order_of_an_index(plan: str, table: str, *, is_few: bool = False) -> None:
    if connection.vendor == "postgresql":
        assert f"Seq Scan on {table}" not in plan, plan
        assert is_few or not re.search(r"Sort  \(", plan), plan
    else:
        # A scan without an index of its own name goes through the rows by id.
        assert is_few or "TEMP B-TREE" not in plan, plan
