"""Tests mirror the floors: one file per deed, one sentence per test."""
