"""The audit: judges a settled run from outside, by the clients' journals and plain SQL.

Nothing of the product is imported here: whoever shares its rules would share its mistakes.
`python -m chaos.audit FOLDER` reads a kept folder and the database that `DATABASE_URL` names.
"""
