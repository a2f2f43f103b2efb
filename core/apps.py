"""Tells Django what the application is called."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The application that holds all of Budget Manager."""

    name = "core"
    verbose_name = "Budget Manager"
