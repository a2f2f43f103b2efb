"""Makes the OpenAPI document of the calls: their signatures, and what `@answers` says of each."""

import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from http import HTTPStatus
from inspect import Parameter, cleandoc, signature
from typing import Any, get_args, get_type_hints

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from core.enums import Scope
from core.views.authentication import find_refusal
from core.views.documentation import (
    ANSWER_HEADERS,
    OF_EVERY_BODY,
    OF_EVERY_CALL,
    OF_EVERY_PATH,
    REQUEST_HEADERS,
    get_documentation,
    group_codes,
    name_answer_headers,
)
from core.views.error_documents import ErrorDocument
from core.views.examples import ANSWERS, ERRORS, REQUESTS
from core.views.parsing import LARGEST_ID, Filters

DESCRIPTION = """\
An ad budget that cannot be overspent, and that can always say why a campaign is or isn't running.

Money is a decimal string, read exactly and never rounded. Instants are RFC 3339 in UTC. Send an
`event_id` and a retry gets the first answer again. Every error has one shape; its `code` is stable.
"""
TAGS = {
    "brands": "Who pays: currency, time zone, daily and monthly budget.",
    "campaigns": "What runs, when, and why not.",
    "spend": "Money used: asked for first, reported afterwards, or taken back.",
    "holds": "Part of what remains, set aside until it is captured, released or expires.",
    "status": "The whole system at a glance.",
}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key; `python manage.py create_api_key NAME --scope …` makes one. Each "
    f"call names the scope that it needs: {', '.join(f'`{scope}`' for scope in Scope)}.",
}
_UNCHANGED = HTTPStatus.NOT_MODIFIED
_PARAMETER = re.compile(r"{(?:int:)?(\w+)}")
_CITATION = re.compile(r" \(C[0-9]+(?:, C[0-9]+)*\)")
_REF = "#/components/schemas/{model}"

Call = tuple[str, str, Scope, Callable[..., Any]]
Json = dict[str, Any]


class _ExactSchema(GenerateJsonSchema):
    """Documents hold what they say and nothing else; fields need no titles beside their names."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def describe(calls: Iterable[Call]) -> Json:
    """The OpenAPI 3.1 document of these calls."""
    described = [_DescribedCall(call) for call in calls]
    schemas = _Schemas(part for call in described for part in call.parts)
    paths: dict[str, Json] = {}
    for call in described:
        paths.setdefault(call.full_path, {})[call.method.lower()] = call.operation(schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Budget Manager", "version": "1", "description": DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": schemas.responses,
            "examples": {code: {"value": document} for code, document in ERRORS.items()},
            "headers": ANSWER_HEADERS,
            "securitySchemes": {"bearer": _BEARER},
        },
    }


class DescribedApi(NinjaAPI):
    """The API, which shows the document of its calls at /api/openapi.json and /api/docs."""

    def __init__(self, calls: Iterable[Call], **settings: Any) -> None:
        # The page asks nobody else to check the document.
        docs = Swagger(settings={"validatorUrl": None})
        super().__init__(
            title="Budget Manager", version="1", docs=docs, docs_decorator=_only_read, **settings
        )
        self._calls = calls

    @cached_property
    def document(self) -> Json:
        """The OpenAPI document, made once."""
        # Our docstrings cite promises that callers haven't read.
        return json.loads(_CITATION.sub("", json.dumps(describe(self._calls))))  # type: ignore[no-any-return]  # an object

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """Answer what a call raised; who has no good key isn't told what else is wrong."""
        return super().on_exception(request, find_refusal(request) or exc)

    def get_openapi_schema(self, **_place: Any) -> Any:
        """What django-ninja's view answers."""
        return self.document


class _Schemas:
    """The JSON Schema of every type on the wire, and the refusals that calls share, each once."""

    def __init__(self, parts: Iterable[Any]) -> None:
        adapters = [(part, "validation", TypeAdapter(part)) for part in {*parts, ErrorDocument}]
        by_part, definitions = TypeAdapter.json_schemas(
            adapters,  # type: ignore[arg-type]  # the stubs want one literal per mode
            schema_generator=_ExactSchema,
            ref_template=_REF,
        )
        self.components: Json = dict(sorted(definitions["$defs"].items()))
        self.responses: Json = {}
        self._by_part = {part: schema for (part, _), schema in by_part.items()}
        # A query isn't one value but a parameter per field.
        self._queries = {
            part: self.components.pop(part.__name__) for part, _ in by_part if _is_query(part)
        }

    def refusal(self, status: HTTPStatus, codes: list[str], tells: Iterable[str]) -> Json:
        """The answer with one of these codes; many calls share the ones with only one."""
        schema = {**self.of(ErrorDocument), "properties": {"code": {"enum": codes}}}
        examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
        content = {"application/json": {"schema": schema, "examples": examples}}
        answer = {**_without_content(status, tells), "content": content}
        if len(codes) > 1 or self.responses.setdefault(codes[0], answer) != answer:
            return answer
        return {"$ref": f"#/components/responses/{codes[0]}"}

    def of(self, part: Any) -> Json:
        """A reference to the part's schema."""
        return self._by_part[part]

    def parameters(self, query: Any) -> list[Json]:
        """The parameters of a query string."""
        schema = self._queries[query]
        return [
            {"name": name, "in": "query", "required": False, "schema": _parameter_schema(field)}
            for name, field in schema["properties"].items()
        ]


class _DescribedCall:
    """One line of the table of contents, and what is known of its view."""

    def __init__(self, call: Call) -> None:
        self.method, path, self.scope, view = call
        self.full_path = "/api" + _PARAMETER.sub(r"{\1}", path)
        self.view = view
        self.documentation = get_documentation(view)
        self._ids = _PARAMETER.findall(path)
        hints = [_bare(hint) for hint in get_type_hints(view, include_extras=True).values()]
        models = [hint for hint in hints if isinstance(hint, type) and issubclass(hint, BaseModel)]
        self._query = next((model for model in models if _is_query(model)), None)
        self._body = next((model for model in models if not _is_query(model)), None)
        body = signature(view).parameters.get("body")
        self._needs_body = body is not None and body.default is Parameter.empty

    @property
    def parts(self) -> list[Any]:
        """The types that stand on the wire of this call."""
        return [part for part in (self._query, self._body, self.documentation.document) if part]

    def operation(self, schemas: _Schemas) -> Json:
        """What OpenAPI calls an operation."""
        summary, _, rest = cleandoc(self.view.__doc__ or "").partition("\n")
        described = {
            "operationId": self.view.__name__,
            "summary": summary,
            "description": f"{rest.strip()}\n\nNeeds a key with the scope `{self.scope}`.".strip(),
            "tags": [self.full_path.split("/")[2]],
            "security": [{"bearer": [self.scope.value]}],
            "parameters": self._parameters(schemas),
            "responses": {str(int(status)): a for status, a in self._responses(schemas).items()},
        }
        if self._body:
            content = {"schema": schemas.of(self._body), "example": REQUESTS[self.view.__name__]}
            described["requestBody"] = {
                "required": self._needs_body,
                "content": {"application/json": content},
            }
        return described

    def _parameters(self, schemas: _Schemas) -> list[Json]:
        identifier = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
        of_path = [
            {"name": name, "in": "path", "required": True, "schema": identifier}
            for name in self._ids
        ]
        of_headers = [
            {"name": name, "in": "header", "required": False, **REQUEST_HEADERS[name]}
            for name in self.documentation.asks
        ]
        return of_path + (schemas.parameters(self._query) if self._query else []) + of_headers

    def _responses(self, schemas: _Schemas) -> dict[HTTPStatus, Json]:
        told = self.documentation
        good = self._answer(told.status)
        if told.document:
            example = ANSWERS[self.view.__name__]
            content = {"schema": schemas.of(told.document), "example": example}
            good["content"] = {"application/json": content}
        refusals = (
            *told.refusals,
            *OF_EVERY_CALL,
            *(OF_EVERY_BODY if self._body else ()),
            *(OF_EVERY_PATH if self._ids else ()),
        )
        unchanged = {_UNCHANGED: self._answer(_UNCHANGED)} if "If-None-Match" in told.asks else {}
        return {told.status: good, **unchanged} | {
            status: schemas.refusal(status, codes, self.documentation.tells)
            for status, codes in group_codes(refusals).items()
        }

    def _answer(self, status: HTTPStatus) -> Json:
        return _without_content(status, self.documentation.tells)


def _only_read(view: Any) -> Any:
    return csrf_exempt(require_safe(view))


def _bare(hint: Any) -> Any:
    """The model in `Query[Model]`, `Model | None` and `Model`."""
    while args := [arg for arg in get_args(hint) if arg is not type(None)]:
        hint = args[0]
    return hint


def _without_content(status: HTTPStatus, tells: Iterable[str]) -> Json:
    names = name_answer_headers(status, tells)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"description": status.phrase, "headers": headers}


def _is_query(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Filters)


def _parameter_schema(field: Json) -> Json:
    """The schema of a parameter, which is there or isn't: no query string says `null`."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice != {"type": "null"}]
    if len(choices) > 1:
        return {**field, "anyOf": choices}
    # What pydantic calls bounds that it checks after one of our own rules.
    names = {"ge": "minimum", "le": "maximum"}
    kept = {name: value for name, value in field.items() if name != "anyOf" and value is not None}
    return {names.get(name, name): value for name, value in (kept | choices[0]).items()}
