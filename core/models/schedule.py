"""Schedule: one daypart of a campaign. A campaign without any is always open (C13)."""

from django.db import models
from django.db.models import Q

from core.models.campaign import Campaign
from core.rules.dayparts import Daypart, format_minute


class Schedule(models.Model):
    """A set of weekdays and `[start, end)` in local minutes; end ≤ start means past midnight.

    `weekdays` is a bit set: Monday is 1, Tuesday 2, … Sunday 64.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="dayparts")
    weekdays = models.PositiveSmallIntegerField(default=127)
    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "daypart"
        verbose_name_plural = "schedule"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekdays__gte=1, weekdays__lte=127), name="schedule_has_weekdays"
            ),
            models.CheckConstraint(
                condition=Q(start_minute__gte=0, start_minute__lt=1440),
                name="schedule_start_is_a_minute_of_the_day",
            ),
            models.CheckConstraint(
                condition=Q(end_minute__gte=1, end_minute__lte=1440),
                name="schedule_end_is_a_minute_of_the_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{format_minute(self.start_minute)}–{format_minute(self.end_minute)}"

    @classmethod
    def of(cls, campaign: Campaign, daypart: Daypart) -> "Schedule":
        """An unsaved row for this daypart."""
        return cls(
            campaign=campaign,
            weekdays=sum(1 << day for day in daypart.weekdays),
            start_minute=daypart.start_minute,
            end_minute=daypart.end_minute,
        )

    @property
    def daypart(self) -> Daypart:
        """This row as the rules see it."""
        return daypart_of(self.weekdays, self.start_minute, self.end_minute)


def daypart_of(weekdays: int, start_minute: int, end_minute: int) -> Daypart:
    """The columns of a row as the rules see them."""
    days = tuple(day for day in range(7) if weekdays >> day & 1)
    return Daypart(days, start_minute, end_minute)
