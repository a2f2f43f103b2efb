"""The WSGI application that the web server serves, with all that a call needs already loaded."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")

application = get_wsgi_application()
# The views as well, for which each worker's first caller would otherwise wait.
import_module(settings.ROOT_URLCONF)
