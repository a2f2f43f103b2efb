"""Measurements at the size of a large installation. Not part of the product and not of its tests.

`python -m stack` lends each a throw-away PostgreSQL that is as durable as a real one.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
django.setup()
