"""The folder of a run: its journals, what the rig wrote down at the end, and the servers' logs."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What the rig knew when everything had come to rest; `at` is by the simulated clock.

    `deadlocks` is what it counted itself; `manage`, in `environment`, runs the product's commands.
    """

    at: datetime
    deadlocks: int = 0
    manage: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def read_settled(folder: Path) -> Settled:
    """What `settled.json` says."""
    told: Json = json.loads((folder / "settled.json").read_text())
    return Settled(
        at=datetime.fromisoformat(told["settled_at"]),
        deadlocks=told.get("deadlocks", 0),
        manage=tuple(told.get("manage", ())),
        environment=told.get("environment", {}),
    )


def journals(folder: Path) -> list[Path]:
    """The journal of each client."""
    return sorted((folder / "journals").glob("*.jsonl"))


def micros_of(amount: object) -> int:
    """An amount as JSON tells it, in whole micros. Raises ValueError if it isn't a whole number.

    By hand and with integers only: the product's own reader could be what is wrong.
    """
    whole, _, part = str(amount).partition(".")
    if len(part) > 6 or not (whole + part).isdecimal():
        raise ValueError(f"{amount!r} is no amount")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0"))


def money(micros: int) -> str:
    """Micros as people read them."""
    sign = "-" if micros < 0 else ""
    whole, part = divmod(abs(micros), 1_000_000)
    return f"{sign}{whole}.{f'{part:06d}'.rstrip('0').ljust(2, '0')}"
