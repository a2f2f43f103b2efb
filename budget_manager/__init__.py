"""The switchboard of the project: settings, URLs, WSGI and the Celery application."""

from budget_manager.celery import app as celery_app

__all__ = ["celery_app"]
