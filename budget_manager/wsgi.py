"""The WSGI application that the web server serves, with all that a call needs already loaded."""

import os
from importlib import import_module
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")

_django = get_wsgi_application()
# The views as well, for which each worker's first caller would otherwise wait.
import_module(settings.ROOT_URLCONF)
application: WSGIApplication = import_module("core.urls").short_way.before(_django)
# Models can be imported now that Django is set up.
import_module("core.models.lending").LENDING.begin()
