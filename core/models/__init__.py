"""What Budget Manager remembers: columns, constraints and indexes, no behaviour."""

from core.models.api_key import ApiKey
from core.models.brand import Brand
from core.models.campaign import Campaign, CampaignCounts
from core.models.fields import CodePoints, MoneyField, money_value, names_reason
from core.models.hold import Hold
from core.models.schedule import Schedule
from core.models.spend import BrandTotal, CampaignTotal, EventAnswer, PeriodTotal, SpendLog
from core.models.transition import TaskRun, Transition
from core.models.version import BrandVersion, CampaignVersion

__all__ = [
    "ApiKey",
    "Brand",
    "BrandTotal",
    "BrandVersion",
    "Campaign",
    "CampaignCounts",
    "CampaignTotal",
    "CampaignVersion",
    "CodePoints",
    "EventAnswer",
    "Hold",
    "MoneyField",
    "PeriodTotal",
    "Schedule",
    "SpendLog",
    "TaskRun",
    "Transition",
    "money_value",
    "names_reason",
]
