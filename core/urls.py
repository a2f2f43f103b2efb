"""The table of contents of the API: method, path, scope, view."""

from django.urls import path

from core.enums import Scope
from core.views import (
    brands,
    campaigns,
    explain,
    health,
    holds,
    preview,
    spend,
    spend_batch,
    status,
)
from core.views.authentication import KeyWith, KeyWithSpend
from core.views.errors import register_error_answers
from core.views.openapi import DescribedApi
from core.views.parsing import StrictParser, read_everything
from core.views.short_way import ShortWay

CALLS = (
    # What is called most stands first, since a path is looked for from the top.
    ("POST", "/spend/add/", Scope.SPEND, spend.spend_add),
    ("POST", "/spend/report/", Scope.SPEND, spend.spend_report),
    ("POST", "/spend/refund/", Scope.SPEND, spend.spend_refund),
    ("POST", "/spend/batch/", Scope.SPEND, spend_batch.spend_batch),
    ("POST", "/holds/create/", Scope.SPEND, holds.hold_create),
    ("GET", "/holds/{int:hold_id}/", Scope.SPEND, holds.hold_detail),
    ("POST", "/holds/{int:hold_id}/capture/", Scope.SPEND, holds.hold_capture),
    ("POST", "/holds/{int:hold_id}/release/", Scope.SPEND, holds.hold_release),
    ("GET", "/brands/", Scope.READ, brands.brand_list),
    ("POST", "/brands/create/", Scope.MANAGE, brands.brand_create),
    ("GET", "/brands/{int:brand_id}/", Scope.READ, brands.brand_detail),
    ("PATCH", "/brands/{int:brand_id}/", Scope.MANAGE, brands.brand_edit),
    ("DELETE", "/brands/{int:brand_id}/", Scope.MANAGE, brands.brand_archive),
    ("GET", "/campaigns/", Scope.READ, campaigns.campaign_list),
    ("POST", "/campaigns/create/", Scope.MANAGE, campaigns.campaign_create),
    ("GET", "/campaigns/{int:campaign_id}/", Scope.READ, campaigns.campaign_detail),
    ("PATCH", "/campaigns/{int:campaign_id}/", Scope.MANAGE, campaigns.campaign_edit),
    ("DELETE", "/campaigns/{int:campaign_id}/", Scope.MANAGE, campaigns.campaign_archive),
    ("POST", "/campaigns/{int:campaign_id}/pause/", Scope.MANAGE, campaigns.campaign_pause),
    ("POST", "/campaigns/{int:campaign_id}/resume/", Scope.MANAGE, campaigns.campaign_resume),
    ("GET", "/campaigns/{int:campaign_id}/explain/", Scope.READ, explain.campaign_explain),
    ("GET", "/campaigns/{int:campaign_id}/preview/", Scope.READ, preview.campaign_preview),
    ("GET", "/campaigns/{int:campaign_id}/transitions/", Scope.READ, explain.transition_list),
    ("GET", "/spend/logs/", Scope.READ, spend.spend_log_list),
    ("GET", "/status/", Scope.READ, status.system_status),
)
# Those that come together to their admission.
MOVING_MONEY = frozenset(
    {
        *(spend.spend_add, spend.spend_report, spend.spend_refund),
        *(holds.hold_create, holds.hold_capture, holds.hold_release),
    }
)

api = DescribedApi(CALLS, parser=StrictParser())
register_error_answers(api)
api.add_decorator(read_everything)
short = {}
for method, call_path, scope, view in CALLS:
    key = KeyWithSpend(scope) if view in MOVING_MONEY else KeyWith(scope)
    api.default_router.add_api_operation(call_path, [method], view, auth=key)
    if view in MOVING_MONEY and "{" not in call_path:
        short[f"/api{call_path}"] = (view, key)
short_way = ShortWay(api, short)

urlpatterns = [
    path("api/", api.urls),
    path("healthz/live", health.live),
    path("healthz/ready", health.ready),
]
