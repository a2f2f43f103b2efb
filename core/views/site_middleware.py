"""Django's layers for people with browsers, which calls of the API pass by.

A call has a key and no session; each of these would cost it a few microseconds for nothing.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase

from core.views.middleware import Handler

API = "/api/"
# The page of the API is for browsers.
PAGE = "/api/docs"


def is_call(request: HttpRequest) -> bool:
    """Whether this is a call of the API and no page."""
    path = request.path_info
    return path.startswith(API) and not path.startswith(PAGE)


class _ForPages:
    """Lets calls pass by the layer that is mixed with this."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go through the layer, or past it."""
        layer: Handler = super().__call__  # type: ignore[misc]  # a mixin
        return self.get_response(request) if is_call(request) else layer(request)


class Sessions(_ForPages, SessionMiddleware):
    """Who is logged in."""


class Authentication(_ForPages, AuthenticationMiddleware):
    """The member of staff."""


class Messages(_ForPages, MessageMiddleware):
    """What the admin tells after a form."""
