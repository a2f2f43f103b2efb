"""Hostile bodies: what callers send by mistake or on purpose, and how each has to be answered.

A good body is a map of names to JSON literals. Everything here differs from a good body in one
thing, so that what is refused is that thing.
"""

import gzip
from dataclasses import dataclass

MALFORMED, INVALID, TOO_LARGE = "malformed_body", "invalid_input", "body_too_large"
# The rows of the tests have this id, so that bodies are known before there are any rows.
ROW_ID = 4711


@dataclass(frozen=True)
class Target:
    """A call that takes a body, and one that it accepts."""

    method: str
    path: str
    good: dict[str, str]
    may_be_empty: bool = False

    @property
    def good_body(self) -> bytes:
        return write(self.good)


def write(members: dict[str, str]) -> bytes:
    """A JSON object of these literals."""
    text = ",".join(f'"{name}":{literal}' for name, literal in members.items())
    return f"{{{text}}}".encode()


_SPEND = {
    "campaign_id": str(ROW_ID),
    "amount": '"1.50"',
    "currency": '"USD"',
    "event_id": '"e-1"',
}
_REFUND = {
    "spend_log_id": str(ROW_ID),
    "amount": '"1.50"',
    "reason": '"invalid clicks"',
    "event_id": '"e-2"',
}
_ENDING = {"amount": '"1.50"', "event_id": '"e-3"'}
_BRAND = {
    "name": '"Brand Y"',
    "daily_budget": '"5.00"',
    "monthly_budget": "50.5",
    "currency": '"EUR"',
    "time_zone": '"Europe/Berlin"',
    "is_enabled": "true",
}
_CAMPAIGN = {
    "name": '"Winter"',
    "brand_id": str(ROW_ID),
    "is_enabled": "false",
    "starts_at": '"2024-01-01T00:00:00Z"',
    "ends_at": '"2025-01-01T00:00:00+01:00"',
    "own_daily_budget": "1",
    "own_monthly_budget": '"2"',
    "own_lifetime_budget": '"3.000001"',
    "schedule": '[{"days":["mon"],"start":"22:00","end":"02:00"}]',
}
TARGETS = {
    "add": Target("POST", "/api/spend/add/", _SPEND),
    "report": Target(
        "POST", "/api/spend/report/", {**_SPEND, "occurred_at": '"2024-01-15T10:00:00Z"'}
    ),
    "refund": Target("POST", "/api/spend/refund/", _REFUND),
    "create hold": Target("POST", "/api/holds/create/", {**_SPEND, "seconds": "60"}),
    "capture": Target("POST", f"/api/holds/{ROW_ID}/capture/", _ENDING, may_be_empty=True),
    "create brand": Target("POST", "/api/brands/create/", _BRAND),
    "edit brand": Target("PATCH", f"/api/brands/{ROW_ID}/", _BRAND),
    "create campaign": Target("POST", "/api/campaigns/create/", _CAMPAIGN),
}

# --- Bodies that are no JSON object ----------------------------------------------------------

# In place of any body.
NO_OBJECTS = {
    "spaces": b"   ",
    "line ends": b"\r\n",
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a text": b'"amount"',
    "an array": b"[]",
    "an array of objects": b"[{}]",
    "an open object": b"{",
    "an open array": b"[",
    "a closed object": b"}",
    "NaN": b"NaN",
    "a form": b"campaign_id=4711&amount=1.50",
    "XML": b"<?xml version='1.0'?><spend/>",
    "YAML": b"campaign_id: 4711\namount: 1.50\n",
    "a pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00.",
    "20,000 brackets": b"[" * 20_000,
    "20,000 brackets and back": b"[" * 20_000 + b"]" * 20_000,
    "10,000 objects": b'{"a":' * 10_000,
    "10,000 objects and back": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
}
TOO_LARGE_BODIES = {
    "200,000 brackets": b"[" * 200_000,
    "a megabyte of spaces": b" " * 1_048_576,
    "more than a megabyte": b" " * 1_048_577,
    "a long text": b'{"amount":"' + b"1" * 65_536 + b'"}',
}
BEFORE = {
    "a byte order mark": b"\xef\xbb\xbf",
    "a guard against scripts": b")]}',\n",
    "a comment": b"// spend\n",
    "a block comment": b"/**/",
    "a NUL": b"\0",
    "a comma": b",",
    "a no-break space": "\u00a0".encode(),
    "a vertical tab": b"\x0b",
    "a form feed": b"\x0c",
    "a separator of records": b"\x1e",
    "a bracket": b"[",
}
AFTER = {
    "a brace": b"}",
    "a bracket": b"]",
    "a letter": b"x",
    "a comma": b",",
    "an object": b"{}",
    "a null": b"\nnull",
    "a NUL": b"\0",
    "a comment": b"// spend",
    "a no-break space": "\u00a0".encode(),
    "a line separator": "\u2028".encode(),
    "an invalid byte": b"\xff",
}
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037")

# --- Members that spoil the object they stand in -----------------------------------------------

# In a good object, as one more member.
SPOILERS = {
    "a name twice at depth 2": b'"x":{"a":1,"a":1}',
    "a name twice in an array": b'"x":[{"a":1,"b":2,"a":3}]',
    "a name twice at depth 8": b'"x":' + b'{"a":' * 7 + b'{"b":1,"b":2}' + b"}" * 7,
    "the empty name twice": b'"":1,"":2',
    "depth 25 of arrays": b'"x":' + b"[" * 25 + b"]" * 25,
    "depth 25 of objects": b'"x":' + b'{"a":' * 25 + b"1" + b"}" * 25,
    "depth 500": b'"x":' + b"[" * 500 + b"]" * 500,
    "an escaped NUL": rb'"x":"a\u0000b"',
    "an escaped NUL in a name": rb'"a\u0000":1',
    "an escaped NUL in an array": rb'"x":[["\u0000"]]',
    "a raw NUL": b'"x":"a\0b"',
    "the first half of a pair": rb'"x":"\ud800"',
    "the second half of a pair": rb'"x":"\udc00"',
    "two first halves": rb'"x":"\ud83d\ud83d"',
    "a pair the wrong way round": rb'"x":"\ude00\ud83d"',
    "half a pair and a letter": rb'"x":"\ud83dx"',
    "half a pair in a name": rb'"\ud800":1',
    "half a pair in an object": rb'"x":{"y":"\udfff"}',
    "an invalid byte": b'"x":"\xff"',
    "a lone continuation byte": b'"x":"\x80"',
    "half a letter": b'"x":"\xc3"',
    "an overlong slash": b'"x":"\xc0\xaf"',
    "a surrogate as bytes": b'"x":"\xed\xa0\x80"',
    "beyond Unicode": b'"x":"\xf4\x90\x80\x80"',
    "Latin-1": '"x":"é"'.encode("latin-1"),
    "an invalid byte in a name": b'"\xff":1',
    "a raw line end": b'"x":"a\nb"',
    "a raw tab": b'"x":"a\tb"',
    "a raw escape": b'"x":"\x1b[31m"',
    "a hexadecimal escape": rb'"x":"\x41"',
    "a short escape": rb'"x":"\u12"',
    "a braced escape": rb'"x":"\u{41}"',
    "an escaped quote of C": rb'"x":"\'"',
    "single quotes": b"'x':1",
    "a bare name": b"x:1",
    "a name that is a number": b"1:1",
    "no value": b'"x":',
    "no colon": b'"x" 1',
    "an equals sign": b'"x"=1',
    "a comma too many": b"",
    "two commas": b',"x":1',
    "an array with a comma too many": b'"x":[1,]',
    "a comment": b'"x":1/**/',
    "Python": b'"x":True',
    "None": b'"x":None',
    "undefined": b'"x":undefined',
    "NaN": b'"x":NaN',
    "-NaN": b'"x":-NaN',
    "Infinity": b'"x":Infinity',
    "-Infinity": b'"x":-Infinity',
    "NaN in an array": b'"x":[[NaN]]',
    "inf": b'"x":inf',
    "hexadecimal": b'"x":0x10',
    "octal": b'"x":010',
    "two zeros": b'"x":00',
    "a sign": b'"x":+5',
    "two signs": b'"x":--5',
    "an underscore": b'"x":1_000',
    "no digit before the point": b'"x":.5',
    "no digit after the point": b'"x":5.',
    "an empty exponent": b'"x":1e',
    "a signed empty exponent": b'"x":1e+',
    "Arabic-Indic digits": '"x":\u0665'.encode(),
    "full-width digits": '"x":\uff15'.encode(),
    "a bare word": b'"x":fifty',
    "a date": b'"x":2024-01-15',
    "1,000s of names and one twice": b",".join(b'"%03x":1' % number for number in range(7_000))
    + b',"1b57":1',
}
# Read without harm, refused because nobody knows the name.
UNKNOWN = {
    "null": b'"x":null',
    "an object": b'"x":{"amount":"5"}',
    "the empty name": b'"":1',
    "another case": b'"AMOUNT":"5"',
    "a space in a name": b'"amount ":"5"',
    "a prototype": b'"__proto__":{"is_admin":true}',
    "a class": b'"__class__":"Brand"',
    "a dunder": b'"__init__":1',
    "pydantic's own": b'"model_config":{"extra":"allow"}',
    "a key": b'"pk":1',
    "an id": b'"id":1',
    "a total": b'"daily_spend":"0"',
    "a verdict": b'"is_active":true',
    "an archive": b'"archived_at":null',
    "1e400": b'"x":1e400',
    "a huge exponent": b'"x":1E+999999999',
    "a tiny exponent": b'"x":-1e-999999999',
    "5,000 digits": b'"x":' + b"9" * 5_000,
    "5,000 decimals": b'"x":0.' + b"1" * 5_000,
    "60,000 digits": b'"x":' + b"9" * 60_000,
    "a long text": b'"x":"' + b"x" * 60_000 + b'"',
    "a long name": b'"' + b"x" * 60_000 + b'":1',
    "1,000s of names": b",".join(b'"%03x":1' % number for number in range(7_000)),
    "a long array": b'"x":[' + b"0," * 20_000 + b"0]",
    "depth 15": b'"x":' + b"[" * 15 + b"]" * 15,
    "a replacement character": '"x":"\ufffd"'.encode(),
    "a pair": rb'"x":"\ud83d\ude00"',
}

# --- Wrappings ---------------------------------------------------------------------------------

MEDIA_TYPES = (
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/octet-stream",
    "application/x-json",
    "application/json-patch+json",
    "application/vnd.api+json",
    "application/json, text/plain",
    "application/jsonx",
    "*/*",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=ascii",
    "application/json; charset=utf-7",
    "application/json; charset=nonsense",
    "application/json; charset=",
    "application/json; charset=utf-8; charset=latin-1",
)
GOOD_MEDIA_TYPES = (
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json; version=1",
)
CONTENT_ENCODINGS = ("gzip", "deflate", "br", "zstd", "x-gzip", "gzip, identity")


def zipped(body: bytes) -> bytes:
    """The body as a caller sends it who thinks that it is unpacked here."""
    return gzip.compress(body)
