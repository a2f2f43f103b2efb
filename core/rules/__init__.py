"""Decides. Pure functions and values: no ORM, settings, clock or I/O."""
