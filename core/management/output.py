"""Puts stored names and refusals into lines for a terminal."""

from typing import Any

from core.errors import BudgetManagerError

BAR_WIDTH = 40


def printable(text: str, stream: Any) -> str:
    """The text on one line, without control or direction marks, in what the stream can encode.

    What can't be shown stands as its escape, so that a name never breaks a line or the command.
    """
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def progress_bar(done: int, of: int, what: str) -> str:
    """How much is done, such as `####.... day 3 of 30`."""
    filled = BAR_WIDTH * done // of if of else 0
    return f"{'#' * filled:.<{BAR_WIDTH}} {what} {done} of {of}"


def show_progress(stream: Any, text: str) -> None:
    """One line that the next one overwrites, for a person at a terminal only."""
    if stream.isatty():
        stream.write(f"\r\x1b[K{text}", style_func=str, ending="")
        stream.flush()


def refusal_sentence(refusal: BudgetManagerError) -> str:
    """Why something was refused: the sentence, its code, and every reason with what helps."""
    reasons = [f"{each['message']} [{each['code']}]" for each in refusal.details.get("reasons", [])]
    fields = [f"{field}: {problem}" for field, problem in refusal.fields.items()]
    if refusal.message == "; ".join(fields):
        return f"{refusal.message} [{refusal.code}]"
    return ": ".join([f"{refusal.message} [{refusal.code}]", *[" ".join(fields + reasons)]])
