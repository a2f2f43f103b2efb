"""How the audit reads what a run left: exact amounts, and journals that a kill has torn."""

import json
from pathlib import Path

import pytest

from chaos.audit.folder import journals, micros_of, money
from chaos.journal import read_lines


@pytest.mark.parametrize(
    ("amount", "micros"), [("0.50", 500_000), ("12", 12_000_000), ("0.000001", 1), (3, 3_000_000)]
)
def test_an_amount_is_whole_micros(amount: object, micros: int) -> None:
    assert micros_of(amount) == micros


@pytest.mark.parametrize("amount", ["0.0000001", "-1.00", "1e3", "", "NaN", "1 000", None])
def test_what_is_no_amount_is_refused(amount: object) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        micros_of(amount)


@pytest.mark.parametrize(("micros", "words"), [(500_000, "0.50"), (-1, "-0.000001"), (0, "0.00")])
def test_micros_are_written_as_people_read_them(micros: int, words: str) -> None:
    assert money(micros) == words


def test_a_torn_line_is_skipped_wherever_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    whole = [{"intent": {"id": str(number)}} for number in range(3)]
    lines = [json.dumps(line) for line in whole]
    torn = [
        lines[0],
        lines[0][:12],
        lines[1],
        "",
        '"a word"',
        lines[2],
        '{"intent": {"id": "\ufffd',
    ]
    (folder / "a.jsonl").write_text("\n".join(torn))
    (path,) = journals(tmp_path)
    assert list(read_lines(path)) == whole
