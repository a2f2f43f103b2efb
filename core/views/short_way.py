"""The short way of plain calls that move money: to the same views, past Django's layers.

Those layers and django-ninja cost such a call more than its admission does. Whatever is unusual
about a call — its media type, a query, a body that will be refused — goes Django's way from the
start, with nothing done yet, so that only one of them refuses.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, get_type_hints

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from ninja import NinjaAPI
from pydantic import ValidationError

from core.errors import BudgetManagerError
from core.views.authentication import KEY_COMES_FIRST, KeyWith
from core.views.middleware import api_middleware
from core.views.parsing import JSON, Body
from core.views.strict_json import LARGEST_BODY, read_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = Callable[..., HttpResponse]


# Digits of a body's length; nobody reads a number of thousands of them.
LONGEST_LENGTH = 9


class ShortRequest(HttpRequest):
    """What these views and the shape of errors need of a request, and no more."""

    auth: object

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.META = environ
        self.path = self.path_info = environ.get("PATH_INFO", "")
        self.view: View | None = None
        self.key: KeyWith | None = None
        self.asked: Body | None = None

    def _get_scheme(self) -> str:
        scheme: str = self.META["wsgi.url_scheme"]
        return scheme


class ShortWay:
    """Answers plain calls of these views, each with the key that it needs, by their paths."""

    def __init__(self, api: NinjaAPI, calls: Mapping[str, tuple[View, KeyWith]]) -> None:
        self._api = api
        self._calls = {
            path: (view, key, get_type_hints(view)["body"]) for path, (view, key) in calls.items()
        }
        self._go = api_middleware(self._call)

    def answer(self, environ: "WSGIEnvironment") -> HttpResponse | None:
        """The answer to a plain call; nothing to any other, whose body is still to be read."""
        call = self._calls.get(environ["PATH_INFO"])
        if call is None or not _is_plain(environ):
            return None
        view, key, model = call
        request = ShortRequest(environ)
        request.view, request.key = view, key
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return None
        try:
            request.asked = model.model_validate(read_json(_read_body(environ)))
        except (BudgetManagerError, ValidationError, OSError):
            environ[KEY_COMES_FIRST] = True
            return None
        response: Any = self._go(request)
        return response  # type: ignore[no-any-return]  # what the view answers

    def _call(self, request: HttpRequest) -> HttpResponse:
        short: Any = request
        try:
            short.auth = short.key(request)
            return short.view(request, short.asked)  # type: ignore[no-any-return]  # a View
        except Exception as error:  # As django-ninja does.
            return self._api.on_exception(request, error)

    def before(self, django: "WSGIApplication") -> "WSGIApplication":
        """The application that answers plain calls here and leaves all others to Django."""
        of_layers = _headers_of_layers()

        def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            response = self.answer(environ)
            if response is None:
                return django(environ, start_response)
            content = response.content
            headers = [
                *response.items(),
                ("Content-Length", str(len(content))),
                *of_layers,
            ]
            start_response(f"{response.status_code} {response.reason_phrase}", headers)
            return [content]

        return serve


def _is_plain(environ: "WSGIEnvironment") -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") == JSON
        and not environ.get("QUERY_STRING")
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_CONTENT_ENCODING" not in environ
        and length.isascii()
        and length.isdigit()
        and len(length) <= LONGEST_LENGTH
        and int(length) <= LARGEST_BODY
        and _is_allowed(environ.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS))
    )


@lru_cache(maxsize=1_000)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _read_body(environ: "WSGIEnvironment") -> bytes:
    """The body, which Django may read again. Raises OSError if it broke off."""
    length = int(environ["CONTENT_LENGTH"])
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    if len(body) < length:
        raise OSError("the body broke off")
    return body


def _headers_of_layers() -> list[tuple[str, str]]:
    """What Django's layers add to every answer, as they are set up.

    Those for HTTPS alone are only set up where nothing else comes through.
    """
    request, response = ShortRequest({"wsgi.url_scheme": "https"}), HttpResponse()
    for layer in (SecurityMiddleware, XFrameOptionsMiddleware):
        layer(lambda _: response).process_response(request, response)
    del response.headers["Content-Type"]
    return list(response.items())
