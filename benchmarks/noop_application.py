"""The WSGI application of the site that `DJANGO_SETTINGS_MODULE` names: here, of the no-op."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
