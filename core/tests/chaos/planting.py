"""How a violation is noted, with the row of the audit that has to find it."""

from collections.abc import Callable
from dataclasses import dataclass

from core.tests.chaos.forged import Forger
from core.tests.views.api import Json

Deed = Callable[[Forger], None]
# No row of the database has this id.
NOWHERE = 10**9
NOT_ACTIVE: Json = {"code": "campaign_not_active", "reasons": []}


@dataclass(frozen=True)
class Plant:
    """One violation, and the row that has to find it."""

    row: str
    put_into: Deed

    @property
    def name(self) -> str:
        """What it is called in the list of tests."""
        return f"{self.row}-{self.put_into.__name__}"


class Plants(list[Plant]):
    """Violations to plant in a played run. Each leaves everything else in order."""

    def found_by(self, row: str) -> Callable[[Deed], Deed]:
        """Note a violation that this row has to find, and no other."""

        def note(deed: Deed) -> Deed:
            self.append(Plant(row, deed))
            return deed

        return note
