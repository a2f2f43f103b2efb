"""Keeps what settings were (C17), and refuses to edit what somebody else changed meanwhile.

Every action that changes the settings of a brand or a campaign ends its writing here, under the
brand's lock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actions.verdicts import LONGEST_WAIT, Change
from core.errors import ChangedMeanwhileError
from core.models import Brand, BrandVersion, Campaign, CampaignVersion
from core.queries.history import find_latest_version
from core.rules.admission import LATE_LIMIT


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a person edits.

    `seen` are the versions that the editor may have read, `None` for whichever. `late_limit` is
    how late spend may come in, and so how long a change of zone has to settle (C11, C12).
    """

    seen: frozenset[int] | None = None
    late_limit: timedelta = LATE_LIMIT

    def check(self, row: Brand | Campaign) -> None:
        """Refuse to change what the editor hasn't seen; means something only under the lock.

        Raises ChangedMeanwhileError.
        """
        if self.seen is not None and row.version not in self.seen:
            raise ChangedMeanwhileError


ANY_TERMS = Terms()


def keep_brand_version(brand: Brand, change: Change) -> None:
    """Keep the settings of a locked brand, if they are other ones than before."""
    _keep(brand, BrandVersion.of(brand), change)


def keep_campaign_version(campaign: Campaign, change: Change) -> None:
    """Keep the settings of a campaign of a locked brand, if they are other ones than before."""
    dayparts = [row.daypart for row in campaign.dayparts.all()]
    _keep(campaign, CampaignVersion.of(campaign, dayparts), change)


def _keep(row: Brand | Campaign, version: BrandVersion | CampaignVersion, change: Change) -> None:
    latest = find_latest_version(row)
    if latest is not None:
        if latest.settings == version.settings:
            return
        row.version = version.number = latest.number + 1
        row.save(update_fields=["version"])
    version.at = _in_force_at(latest, change.at)
    version.actor = change.caller.source
    version.save(force_insert=True)


def _in_force_at(latest: BrandVersion | CampaignVersion | None, at: datetime) -> datetime:
    """Not before the version that it follows, for somebody who came earlier and waited longer.

    As with transitions, one that lies further ahead was made by a host with a wrong clock.
    """
    since = latest.at if latest else at
    return since if at < since <= at + LONGEST_WAIT else at
