"""The API. Function-based JSON views: parse, one call, a document."""
