"""API keys in the admin (C29): the token is shown once, the secret never."""

import re
from typing import Any

import pytest
from django.test import Client

from core.actions.api_keys import create_api_key
from core.enums import Scope
from core.models import ApiKey
from core.queries.api_keys import find_api_key
from core.tests.admin.browser import (
    add_page,
    errors_of,
    list_page,
    messages_of,
    open_form,
    page,
    send,
    text_of,
)
from core.tests.builders import NOON, make_brand

TOKEN = re.compile(r"bm_[0-9a-f]{12}_[\w-]{43}")


def make_key(client: Client, **typed: Any) -> Any:
    shown = open_form(client, add_page("apikey"))
    send(client, add_page("apikey"), shown, **{"name": "shop", "scopes": ["read"], **typed})
    return client.get(list_page("apikey"))


def test_a_new_keys_token_is_shown_once_and_opens_the_api(ann: Client) -> None:
    brand = make_brand(name="Acme")

    response = make_key(ann, scopes=["read", "spend"], brands=[brand.pk])

    token = TOKEN.findall(messages_of(response)[0])[0]
    key = find_api_key(token, NOON)
    assert key is not None
    assert (key.name, key.scopes) == ("shop", [Scope.READ, Scope.SPEND])
    assert key.is_limited_to_brands
    assert list(key.brands.all()) == [brand]
    assert "Acme" in text_of(response)
    for address in (list_page("apikey"), page("apikey", key.pk)):
        assert not TOKEN.search(text_of(ann.get(address)))
        assert key.secret_hash not in text_of(ann.get(address))


def test_a_key_without_brands_sees_all(ann: Client) -> None:
    make_key(ann)

    assert ApiKey.objects.get().is_limited_to_brands is False


@pytest.mark.parametrize(
    ("field", "typed"), [("scopes", []), ("scopes", ["root"]), ("name", " "), ("name", "a\x00b")]
)
def test_a_key_needs_a_name_and_a_scope(ann: Client, field: str, typed: Any) -> None:
    shown = open_form(ann, add_page("apikey"))
    fields = {"name": "shop", "scopes": ["read"], field: typed}

    response = send(ann, add_page("apikey"), shown, **fields)

    assert list(errors_of(response)) == [field]
    assert not ApiKey.objects.exists()


def test_revoking_ends_a_key_for_good(ann: Client) -> None:
    key, token = create_api_key("shop", scopes=[Scope.READ], now=NOON)
    selected = {"action": "revoke_selected", "_selected_action": [key.pk]}

    first = ann.post(list_page("apikey"), selected, follow=True)
    second = ann.post(list_page("apikey"), selected, follow=True)

    assert find_api_key(token, NOON) is None
    assert messages_of(first) == ["1 of 1 API keys revoked."]
    assert messages_of(second) == ["0 of 1 API keys revoked."]


def test_a_key_is_never_edited_or_deleted(ann: Client) -> None:
    key, _ = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    assert ann.post(page("apikey", key.pk), {"scopes": ["manage"]}).status_code == 403
    assert ann.post(page("apikey", key.pk, view="delete"), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.get().scopes == ["read"]


def test_who_may_only_look_makes_and_revokes_no_keys(bob: Client) -> None:
    key, token = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    assert bob.get(add_page("apikey")).status_code == 403
    bob.post(list_page("apikey"), {"action": "revoke_selected", "_selected_action": [key.pk]})
    assert find_api_key(token, NOON) is not None
