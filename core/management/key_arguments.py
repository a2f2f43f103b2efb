"""Which API key a command is about."""

from core.errors import ApiKeyNotFoundError
from core.management.arguments import unusable
from core.models import ApiKey
from core.queries.api_keys import get_api_key

KEY_HELP = "the key's public id, or how its token starts: bm_<public id>_"


def read_api_key(text: str) -> ApiKey:
    """The key that was named. Raises CommandError."""
    try:
        return get_api_key(text)
    except ApiKeyNotFoundError as refusal:
        raise unusable(f"{refusal.message}; `list_api_keys` lists them") from refusal
