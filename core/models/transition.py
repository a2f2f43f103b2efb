"""Transition: one recorded change of a campaign's `is_active`, and the heartbeat of each task."""

from django.db import models

from core.enums import Cause
from core.models.campaign import Campaign
from core.models.fields import ReasonsField
from core.rules.lateness import is_caught_up


class Transition(models.Model):
    """A change of `is_active` with reasons, numbers and who or what caused it (C17).

    What time alone brings is recorded at the instant at which it was due, with the actor `clock`,
    whoever noticed it then or later (C26). `numbers` holds each budget that applied at that moment:
    limit, spent and held as text.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="transitions")
    at = models.DateTimeField()
    is_active = models.BooleanField()
    reasons = ReasonsField()
    numbers = models.JSONField(default=list)
    cause = models.CharField(max_length=16, choices=[(cause, cause) for cause in Cause])
    actor = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["campaign", "at", "id"], name="transition_of_campaign")]

    def __str__(self) -> str:
        return f"{'active' if self.is_active else 'paused'} since {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def caught_up(self) -> bool:
        """Whether it was written down noticeably after it was due, as after an outage (C26)."""
        return is_caught_up(self.at, self.recorded_at)


class TaskRun(models.Model):
    """When an unattended task last finished, for the health check and the operator."""

    task = models.CharField(max_length=64, primary_key=True)
    finished_at = models.DateTimeField()
    changed = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.task
