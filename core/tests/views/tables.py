"""What the database holds, to see that a call wrote nothing."""

from typing import Any

from django.apps import apps
from django.db import connection

from core.models import ApiKey

Rows = dict[str, list[dict[str, Any]]]


def all_rows() -> Rows:
    """Every row of the product but API keys, whose last use changes; without ids."""
    models = apps.get_app_config("core").get_models(include_auto_created=True)
    tables = [model._meta.db_table for model in models if model is not ApiKey]
    return {table: _rows_of(table) for table in tables}


def _rows_of(table: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]
