"""Where each part of the site begins. The API's own table of contents is `core/urls.py`."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    # First, since a path is looked for from the top.
    path("", include("core.urls")),
    path("", RedirectView.as_view(url="/admin/")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
