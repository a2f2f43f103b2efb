"""Why a run can't be judged: the rig itself failed, or what it needs to know never came."""

from pathlib import Path


class RigFailedError(Exception):
    """Its text is shown as it is, and the exit status is 2."""


class NotInTimeError(RigFailedError):
    """Something that the rig waits for didn't happen."""

    def __init__(self, what: str, seconds: float, logs: Path) -> None:
        super().__init__(f"{what}: not within {seconds:g} s. What each process said is in {logs}")
