"""What the health check asks of the database."""

from datetime import datetime

from django.db.models import Max

from core.models import TaskRun


def find_last_tick() -> datetime | None:
    """When any unattended task last finished; `None` if none ever did."""
    latest: datetime | None = TaskRun.objects.aggregate(latest=Max("finished_at"))["latest"]
    return latest
