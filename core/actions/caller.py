"""Who asks for a change, as every action needs to know it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, an API key, a command or a task.

    `source` is written on whatever the caller changes, e.g. `key:4fd2…`, `admin:ann` or
    `task:core.check_budgets`; event ids are unique per source (C21). `brand_ids` are the brands
    the caller may see, `None` for all (C29).
    """

    source: str
    brand_ids: frozenset[int] | None = None

    def may_see(self, brand_id: int) -> bool:
        """Whether the brand exists as far as this caller is concerned."""
        return self.brand_ids is None or brand_id in self.brand_ids
