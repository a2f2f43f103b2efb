"""Goes through all brands, for commands that take one after the other."""

from collections.abc import Iterator
from typing import Any

from core.management.output import progress_bar, show_progress
from core.queries.verification import count_brands, list_brand_ids


def every_brand_id(stream: Any) -> Iterator[int]:
    """The id of each brand, archived ones included; a bar on the stream says how far it is."""
    brands, after, done = count_brands(), 0, 0
    while chunk := list_brand_ids(after):
        for after in chunk:
            show_progress(stream, progress_bar(done, brands, "brand"))
            yield after
            done += 1
