"""A journal survives the death of who writes it, and counts what is in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.journal import Intent, Journal, read_book
from chaos.tally import Tally
from chaos.wishes import Memory

ADD = Intent(
    id="client-1/1",
    call="add",
    path="/spend/add/",
    body={"campaign_id": 4, "amount": "0.50", "event_id": "e1"},
    event_id="e1",
    brand_id=2,
    campaign_id=4,
    amount="0.50",
    simulated_at="2030-03-30T12:00:00+00:00",
)
ADMITTED = {"status": 200, "is_replay": False, "body": {"spend_log_id": 9, "amount": "0.50"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client-1.jsonl"


def test_an_intent_is_open_until_its_answer_is_there(path: Path) -> None:
    journal = Journal(path)
    journal.mean(ADD)
    journal.tried(ADD, "web-1", "cut")
    assert read_book(path).open_intents == [ADD]
    journal.answered(ADD, ADMITTED)
    book = read_book(path)
    assert book.open_intents == []
    assert book.answers[ADD.id]["body"] == ADMITTED["body"]
    assert [each["outcome"] for each in book.tries[ADD.id]] == ["cut"]


def test_a_line_that_a_kill_has_torn_is_left_out_and_harms_no_other(path: Path) -> None:
    Journal(path).mean(ADD)
    with path.open("ab") as stream:
        stream.write(b'{"answer": {"id": "client-1/1", "sta')
    second = replace(ADD, id="client-1/2", event_id="e2")
    Journal(path).mean(second)
    assert read_book(path).open_intents == [ADD, second]


def test_a_repeat_says_of_what_it_is_one(path: Path) -> None:
    repeat = replace(ADD, id="client-1/2", repeats={"of": ADD.id, "how": "later"})
    Journal(path).mean(repeat)
    assert read_book(path).intents[repeat.id] == repeat


def test_the_tally_reads_on_where_it_stopped_and_leaves_half_a_line_for_later(path: Path) -> None:
    tally, journal = Tally(path.parent), Journal(path)
    journal.mean(ADD)
    with path.open("ab") as stream:
        stream.write(b'{"try": {"id": "client-1/1", ')
        stream.flush()
        tally.read()
        assert tally.counts["attempts"] == 1
        assert tally.counts["tries"] == 0
        stream.write(b'"outcome": "answered", "status": 503}}\n')
    journal.answered(ADD, ADMITTED)
    tally.read()
    assert tally.counts["tries refused by 503"] == 1
    assert tally.counts["acknowledged"] == 1
    assert len(tally.answered_at[2]) == 1


def test_a_restarted_client_knows_what_it_can_come_back_to() -> None:
    memory = Memory()
    memory.note(ADD, ADMITTED)
    assert memory.decided[0] == ADD
    assert memory.entries[0][0] == 9


def test_a_capture_that_came_too_late_is_owed_as_a_report() -> None:
    memory = Memory()
    late = replace(ADD, call="capture", path="/holds/3/capture/")
    refusal = {"code": "hold_ended", "state": "expired"}
    memory.note(late, {"status": 400, "is_replay": False, "body": refusal})
    assert [(owed.campaign_id, str(owed.amount)) for owed in memory.owed] == [(4, "0.50")]
