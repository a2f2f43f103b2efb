"""API keys in the admin (C29): the token is shown once, the secret never."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.actions.api_keys import create_api_key, revoke_api_key
from core.enums import Scope
from core.models import ApiKey
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
from core.tests.builders import NOON, find_api_key, make_brand
from core.tests.rules.zones import HOUR

SECOND = timedelta(seconds=1)
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


def rotate(client: Client, key: ApiKey, action: str = "rotate_selected") -> Any:
    selected = {"action": action, "_selected_action": [key.pk]}
    return client.post(list_page("apikey"), selected, follow=True)


def test_rotating_shows_the_new_token_once_and_leaves_the_old_one_a_day(ann: Client) -> None:
    key, old = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    response = rotate(ann, key)

    (message,) = messages_of(response)
    (new,) = TOKEN.findall(message)
    assert "not shown again" in message
    assert find_api_key(new, NOON) == key
    assert find_api_key(old, NOON + 24 * HOUR - SECOND) == key
    assert find_api_key(old, NOON + 24 * HOUR) is None
    assert "rotating" in text_of(response)
    key.refresh_from_db()
    for address in (list_page("apikey"), page("apikey", key.pk)):
        shown = text_of(ann.get(address))
        assert not TOKEN.search(shown)
        assert key.secret_hash not in shown
        assert key.previous_secret_hash not in shown


def test_rotating_at_once_ends_the_old_token_now(ann: Client) -> None:
    key, old = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    response = rotate(ann, key, "rotate_selected_at_once")

    assert find_api_key(old, NOON) is None
    assert find_api_key(TOKEN.findall(messages_of(response)[0])[0], NOON) == key


def test_a_revoked_key_is_not_rotated_and_the_page_says_so(ann: Client) -> None:
    key, _ = create_api_key("shop", scopes=[Scope.READ], now=NOON)
    revoke_api_key(key, now=NOON)

    assert messages_of(rotate(ann, key)) == [
        "“shop”: The API key is revoked and gets no new secret; create another key"
    ]


def test_a_keys_rate_limit_is_set_when_it_is_made_and_shown(ann: Client) -> None:
    response = make_key(ann, requests_per_minute=1234)

    assert ApiKey.objects.get().requests_per_minute == 1234
    assert "1234" in text_of(response)
    assert "1234" in text_of(ann.get(page("apikey", ApiKey.objects.get().pk)))


@pytest.mark.parametrize("typed", ["-1", "many", "1000000001"])
def test_an_impossible_rate_limit_is_named(ann: Client, typed: str) -> None:
    shown = open_form(ann, add_page("apikey"))
    fields = {"name": "shop", "scopes": ["read"], "requests_per_minute": typed}

    assert list(errors_of(send(ann, add_page("apikey"), shown, **fields))) == [
        "requests_per_minute"
    ]


def test_the_list_says_what_has_become_of_each_key(ann: Client) -> None:
    create_api_key("a", scopes=[Scope.READ], expires_at=NOON, now=NOON)
    create_api_key("b", scopes=[Scope.READ], requests_per_minute=0, now=NOON)
    revoke_api_key(create_api_key("c", scopes=[Scope.READ], now=NOON)[0], now=NOON)

    shown = text_of(ann.get(list_page("apikey")))

    states = re.findall(r'class="field-state">(\w+)<', shown)
    limits = re.findall(r'class="field-requests_a_minute">([\w ]+)<', shown)
    assert states == ["expired", "live", "revoked"]
    assert limits == ["default", "no limit", "default"]


def test_a_key_is_never_edited_or_deleted(ann: Client) -> None:
    key, _ = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    assert ann.post(page("apikey", key.pk), {"scopes": ["manage"]}).status_code == 403
    assert ann.post(page("apikey", key.pk, view="delete"), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.get().scopes == ["read"]


def test_who_may_only_look_makes_rotates_and_revokes_no_keys(bob: Client) -> None:
    key, token = create_api_key("shop", scopes=[Scope.READ], now=NOON)

    assert bob.get(add_page("apikey")).status_code == 403
    for action in ("revoke_selected", "rotate_selected", "rotate_selected_at_once"):
        rotate(bob, key, action)
    assert ApiKey.objects.get().previous_secret_hash == ""
    assert find_api_key(token, NOON) is not None
