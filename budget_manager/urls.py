"""Where each part of the site begins. The API's own table of contents is `core/urls.py`."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
