"""One stream for the output of many processes: whole lines, each under its process's name."""

import os
import threading
from typing import IO, TextIO

NAME_WIDTH = 8
COLOURS = (36, 33, 32, 35, 34, 31)  # The terminal's cyan, yellow, green, magenta, blue, red.


class Console:
    """Writes lines from any thread; never half of one."""

    def __init__(self, stream: TextIO) -> None:
        """Colour only for a person: on a terminal, unless NO_COLOR is set."""
        self.is_closed = False
        self._stream = stream
        self._is_coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Write each line of `text` under `name`."""
        prefix = self._prefix(name)
        self.write("".join(f"{prefix} {line}\n" for line in text.splitlines()))

    def write(self, text: str) -> None:
        """Write text as it is. When the reader has gone, remember it and go on."""
        with self._lock:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                self.is_closed = True

    def follow(self, name: str, source: IO[bytes]) -> threading.Thread:
        """Copy lines from a process's output until it ends, in a thread of its own."""
        thread = threading.Thread(target=self._copy, args=(name, source), daemon=True)
        thread.start()
        return thread

    def _copy(self, name: str, source: IO[bytes]) -> None:
        with source:
            for line in source:
                self.say(name, line.decode(errors="replace").rstrip() or " ")

    def _prefix(self, name: str) -> str:
        label = f"{name:<{NAME_WIDTH}} |"
        if not self._is_coloured:
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"
