"""The yardstick for requests: Django's settings, URLs and one view that reads JSON and answers.

No middleware, no database, nothing of ours: what the server and the framework cost at least.
"""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path

SECRET_KEY = "of-a-site-without-secrets"  # noqa: S105 (it signs nothing)
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = __name__
LOGGING_CONFIG = None
USE_TZ = True

PATH = "/noop/"
# As long as the answer to a spend.
ANSWER = {
    "campaign_id": 1,
    "campaign_name": "Campaign 1 of the hot brand",
    "amount": "0.00032",
    "new_daily_spend": "1.00",
    "new_monthly_spend": "1.00",
    "spend_log_id": 1,
    "is_active": True,
    "remaining": "999999.00",
    "reasons": [],
    "event_id": None,
}


def noop(request: HttpRequest) -> JsonResponse:
    """Read the body, do nothing, answer."""
    json.loads(request.body)
    response = JsonResponse(ANSWER)
    # Otherwise the servers send chunks or close the connection, which costs more.
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path(PATH.removeprefix("/"), noop)]
