"""Lets `python manage.py test` run the suite, which is pytest's."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import pytest


class PytestRunner:
    """What Django's test command wants of a runner: options, labels, a count of failures."""

    def __init__(self, *, verbosity: int = 1, failfast: bool = False, **_other: Any) -> None:
        self.options = ["--exitfirst"] * failfast + ["--quiet"] * (verbosity == 0)
        self.options += ["-v"] * (verbosity > 1)

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """No arguments beyond Django's own; call pytest for more."""

    def run_tests(self, test_labels: Sequence[str], **_other: Any) -> int:
        """Run the named files or tests, or all of them; 0 if none failed."""
        return int(pytest.main([*self.options, *test_labels]))
