"""What the health check, and a task of its own last run, ask of the database."""

from datetime import datetime

from django.db.models import Max

from core.models import TaskRun

# The task that looks for broken promises every night.
VERIFICATION = "core.verify_ledgers"


def find_last_tick() -> datetime | None:
    """When any unattended task last finished; `None` if none ever did."""
    latest: datetime | None = TaskRun.objects.aggregate(latest=Max("finished_at"))["latest"]
    return latest


def map_task_counts(task: str) -> dict[str, int]:
    """What the last run of a task counted, by its own words; nothing if there was none."""
    run = TaskRun.objects.filter(task=task).first()
    return dict(run.changed) if run else {}


def find_broken_count() -> int | None:
    """How many broken promises the nightly verification found; `None` before its first run."""
    return map_task_counts(VERIFICATION).get("broken")
