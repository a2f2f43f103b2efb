"""What the audit says, for people as a table and for programs as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from chaos.audit.findings import Row, is_clean


def table(rows: Sequence[Row]) -> str:
    """One line for each row; what broke it and where to look next below."""
    width = max(len(row.question.title) for row in rows)
    lines = [f"{'must be zero'.ljust(width)}  {'found':>7}  {'looked at':>10}"]
    for row in rows:
        line = f"{row.question.title.ljust(width)}  {row.count:>7,}  {row.checked:>10,}"
        lines.append(f"{line}  <-- {row.question.promise}" if row.count else line)
    for row in rows:
        if row.count:
            lines += ["", *_explanation(row)]
    lines += ["", "Nothing is broken." if is_clean(rows) else "Something is broken."]
    return "\n".join(lines)


def _explanation(row: Row) -> list[str]:
    shown = f"{len(row.examples)} of {row.count:,}"
    lines = [f"{row.question.title} ({row.question.promise}), {shown}:"]
    for example in row.examples:
        lines += [
            f"  {example.subject}",
            *(f"    expected: {example.expected}", f"    found:    {example.found}"),
        ]
    return [*lines, f"  Next: {row.question.next_step}."]


def keep(rows: Sequence[Row], path: Path) -> None:
    """Write all rows down as JSON."""
    document = {"rows": [row.document() for row in rows], "clean": is_clean(rows)}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
