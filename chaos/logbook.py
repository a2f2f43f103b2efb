"""Where the output of each process goes: a file of its own; only the rig's own lines are shown."""

import sys
from pathlib import Path

from stack.console import Console
from stack.supervisor import OWN_NAME


class LogBook(Console):
    """A console that keeps what processes say in files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(sys.stderr)
        self._folder = folder
        folder.mkdir()

    def say(self, name: str, text: str) -> None:
        """Keep each line of `text` under `name`."""
        with (self._folder / f"{name}.log").open("a") as stream:
            stream.write("".join(f"{line}\n" for line in text.splitlines()))

    def tell(self, text: str) -> None:
        """Show a line to the person at the terminal, and keep it."""
        self.write(f"{text}\n")
        self.say(OWN_NAME, text)
