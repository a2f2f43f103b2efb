"""What a browser does with a form: read every field as it was shown, send them all back."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

Fields = dict[str, list[str]]
REQUIRED_ROW = {"start": "09:00", "end": "17:00"}


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: Fields = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.fields.setdefault(self._select, []).append(value or "")
        elif tag == "input" and name and given.get("type") != "submit":
            is_box = given.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in given:
                default = "on" if is_box else ""
                self.fields.setdefault(name, []).append(default if value is None else value)


def page(kind: str, *args: int, view: str = "change") -> str:
    """The address of a page, e.g. `page("brand", brand.pk)`."""
    return reverse(f"admin:core_{kind}_{view}", args=args)


def add_page(kind: str) -> str:
    return page(kind, view="add")


def list_page(kind: str) -> str:
    return page(kind, view="changelist")


def open_form(client: Client, address: str) -> Fields:
    """Every field of the page's form with the value that it shows, hidden ones included."""
    response = client.get(address)
    assert response.status_code == 200, response
    reader = _FormReader()
    reader.feed(text_of(response))
    return {
        name: values
        for name, values in reader.fields.items()
        if "__prefix__" not in name and name not in ("csrfmiddlewaretoken",)
    }


def send(client: Client, address: str, shown: Fields, **typed: Any) -> HttpResponse:
    """Send a form back with some fields typed over; `None` unticks a box."""
    fields: dict[str, Any] = {**shown, **typed}
    kept = {name: value for name, value in fields.items() if value is not None}
    response: HttpResponse = client.post(address, kept)  # type: ignore[assignment]  # a test's one
    return response


def type_row(shown: Fields, number: int, **row: Any) -> dict[str, Any]:
    """The fields of a row of the schedule added with "Add another Daypart"."""
    typed = {"days": ["0", "1", "2", "3", "4", "5", "6"], **REQUIRED_ROW, **row}
    return {
        "dayparts-TOTAL_FORMS": str(number + 1),
        **{f"dayparts-{number}-{name}": value for name, value in typed.items()},
    }


def text_of(response: Any) -> str:
    return str(response.content.decode())


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors_of(response: Any) -> dict[str, list[str]]:
    """The errors of the page's own form, by field."""
    form = response.context["adminform"].form
    return {field: list(problems) for field, problems in form.errors.items()}


def rows_of(response: Any) -> list[str]:
    """The names of the rows that a list shows."""
    return [str(row) for row in response.context["cl"].result_list]
