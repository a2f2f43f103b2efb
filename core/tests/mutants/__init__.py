"""Seeded defects, each with the test that kills it. `make mutants` shows that it does."""

import os

import django

# The list is also read by a program of its own.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
django.setup()
