"""How refusals stand on the wire; `core/errors.py` has their codes, sentences and details."""

from typing import Annotated, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from core.views.examples import ERRORS
from core.views.wire import HoldStateWord, MoneyText, ObstacleDocument, ReasonWord


class RefusalDocument(TypedDict):
    """One refusal; what follows `fields` belongs to single codes."""

    error: str
    code: Annotated[str, WithJsonSchema({"type": "string", "enum": sorted(ERRORS)})]
    fields: dict[str, str]
    budget: NotRequired[ReasonWord]
    remaining: NotRequired[MoneyText]
    reasons: NotRequired[list[ObstacleDocument]]
    state: NotRequired[HoldStateWord]
    refundable: NotRequired[MoneyText]


class ErrorDocument(RefusalDocument):
    """Every error: a sentence, a stable code, what is wrong with each field (C28)."""

    request_id: str
