"""Hostile JSON literals for each kind of field, and the fields of that kind in good bodies.

None is acceptable in any of the fields; what is acceptable in some (`null`, zero) is kept apart.
"""

import json

# --- Money (C1) ----------------------------------------------------------------------------

_MONEY_TEXTS = (
    *("", " ", "NaN", "nan", "sNaN", "-NaN", "Infinity", "-Infinity", "inf", "+inf"),
    *("1e2", "1E2", "1e0", "1e400", "1E+999999999", "1e-999999999", "1e-7"),
    *("-1", "-0", "-0.00", "+5", "+0", "--5", "\u22125", "(5)"),
    *(" 5", "5 ", " 5 ", "5\t", "12\n", "\n12", "1 000", "1\u00a0000", "1\u2009000", "5\u3000"),
    *("1_000", "1,000", "1.000,00", "1'000", "12,50"),
    *("1.", ".5", ".", "1..0", "1.2.3", "1.0000001", "0.0000000", "1.50000000"),
    *("1234567890123", "0000000000001", "1234567890123.5", "999999999999.9999999"),
    *("9" * 5_000, "0." + "1" * 5_000, "0" * 5_000, "1" + "0" * 20_000),
    *("\u0665", "\u0661\u0662.\u0665\u0660", "1\u0660", "\u096b\u0966"),
    *("\uff15", "\uff11\uff12\uff0e\uff15\uff10", "\u00b2", "\u00bd", "\u2460", "\u4e94"),
    *("5\u200b", "\ufeff5", "\u202e5", "5\u0301"),
    *("0x10", "0b1", "0o7", "1L", "5f", "5d", "1j", "1/2", "5%"),
    *("$5", "5 USD", "5\u20ac", "USD5", "five", "true", "null", "None", "50.00abc"),
    *("5;5", "5\\n", "{}", "[5]", "'; DROP TABLE core_brand; --", "{{7*7}}", "%s", "${5}"),
)
_MONEY_NUMBERS = (
    *("-1", "-0", "-0.0", "-0.01", "1e2", "1E2", "1e0", "0e0", "5E-1"),
    *("1e400", "-1e400", "1E+999999999", "1e-999999999", "1.0000001", "0.0000001"),
    *("1234567890123", "1234567890123.0", "999999999999.9999999", "12345678901234567890"),
    *("9" * 5_000, "9" * 20_000, "0." + "1" * 5_000, "-" + "9" * 5_000),
)
_NO_MONEY = ("true", "false", "[]", "[1]", '["5"]', "{}", '{"amount":"5"}', '{"text":"5"}')

MONEY = (*map(json.dumps, _MONEY_TEXTS), *_MONEY_NUMBERS, *_NO_MONEY)
NOT_POSITIVE = ('"0"', '"0.00"', '"0.000000"', "0", "0.0", "0.000000", '"000"', "null")

# --- The rest --------------------------------------------------------------------------------

_NO_TEXT = ("1", "1.5", "true", "[]", '["USD"]', "{}")
IDS = (
    *("0", "-0", "-1", "-4711", "4711.0", "4711.5", "4.711e3", "1e0", "1e400"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "9" * 5_000),
    *("true", "false", "null", "[]", "[4711]", "{}", '{"id":4711}'),
    *('"4711"', '""', '"0x1267"', '"\uff14\uff17\uff11\uff11"', '"4711; DROP TABLE"'),
)
NAMES = (
    *('""', '" "', '"\\t"', '"\u2003"', '"a\\nb"', '"a\\u0001b"', '"a\\u007fb"', '"a\\u0085b"'),
    *(f'"{"x" * 201}"', f'"{"x" * 60_000}"', f'"{"é" * 201}"', "null", *_NO_TEXT),
)
EVENT_IDS = (
    *('""', '"\\t"', '"a\\nb"', '"a\\u0001b"', '"a\\u007fb"', '"a\\u0085b"'),
    *(f'"{"x" * 201}"', f'"{"x" * 60_000}"', *_NO_TEXT),
)
CURRENCIES = (
    *('""', '"usd"', '"Usd"', '"US"', '"USDX"', '" USD"', '"USD "', '"USD\\n"', '"$"', '"840"'),
    *('"XXX"', '"BTC"', '"\uff35\uff33\uff24"', *_NO_TEXT),
)
TIME_ZONES = (
    *('""', '"utc"', '"EUROPE/BERLIN"', '"Europe/Berlin "', '"Mars/Phobos"', '"+01:00"', '"UTC+1"'),
    *('"../../etc/passwd"', '"/etc/localtime"', '"Europe/../UTC"', '"localtime"', '"Factory"'),
    *('"posixrules"', f'"{"x" * 60_000}"', "null", *_NO_TEXT),
)
INSTANTS = (
    *('""', '"now"', '"2024-01-15"', '"10:30"', '"2024-01-15T10:30:00"', '"2024-01-15 10:30:00Z"'),
    *('"2024-01-15T10:30Z"', '"2024-01-15T10:30:00,5Z"', '"2024-01-15T10:30:00.1234567Z"'),
    *('"2024-01-15T10:30:00+0100"', '"2024-01-15T10:30:00+24:00"', '"2024-01-15T10:30:00 Z"'),
    *('"2024-01-15T10:30:00Z\\n"', '"2024-02-30T00:00:00Z"', '"2023-02-29T00:00:00Z"'),
    *('"2024-13-01T00:00:00Z"', '"2024-01-15T24:00:00Z"', '"2024-01-15T10:60:00Z"'),
    *('"2024-01-15T23:59:60Z"', '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+14:00"'),
    *('"9999-12-31T23:59:59-14:00"', '"1969-12-31T23:59:59Z"', '"2200-01-01T00:00:00Z"'),
    *('"10000-01-01T00:00:00Z"', '"-2024-01-15T10:30:00Z"', '"2024-W03-1T10:30:00Z"'),
    *('"\uff12\uff10\uff12\uff14-01-15T10:30:00Z"', f'"{"2" * 30_000}"', "1705314600", *_NO_TEXT),
)
SECONDS = ("0", "-1", "86401", "60.0", "6e1", "null", "true", '"60"', "[60]", "{}", "9" * 5_000)
SWITCHES = ('"true"', '"false"', '""', '"on"', "0", "1", "1.0", "null", "[]", "[true]", "{}")
SCHEDULES = (
    *("1", "true", '"always"', "{}", "[1]", "[null]", "[[]]", "[{}]", '["mon"]'),
    '[{"days":["mon"],"start":"09:00"}]',
    '[{"days":["mon"],"start":"25:00","end":"26:00"}]',
    '[{"days":["mon"],"start":"24:00","end":"02:00"}]',
    '[{"days":["mon"],"start":"09:00","end":"-1:00"}]',
    '[{"days":["mon"],"start":540,"end":600}]',
    '[{"days":["montag"],"start":"09:00","end":"10:00"}]',
    '[{"days":[0],"start":"09:00","end":"10:00"}]',
    '[{"days":[],"start":"09:00","end":"10:00"}]',
    '[{"days":"mon","start":"09:00","end":"10:00"}]',
    '[{"days":["mon"],"start":"09:00","end":"10:00","x":1}]',
    f"[{','.join(['{}'] * 5_000)}]",
    '[{"days":["mon"],"start":"09:00","end":"\uff11\uff10:\uff10\uff10"}]',
)

KINDS = {
    "money": MONEY,
    "positive money": NOT_POSITIVE,
    "id": IDS,
    "name": NAMES,
    "reason": tuple(literal for literal in NAMES if literal != "null"),
    "event id": EVENT_IDS,
    "currency": CURRENCIES,
    "time zone": TIME_ZONES,
    "instant": INSTANTS,
    "seconds": SECONDS,
    "switch": SWITCHES,
    "schedule": SCHEDULES,
}
_BRAND_BUDGETS = ("daily_budget", "monthly_budget")
_AMOUNT: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("add", "report", "refund", "create hold"), ("amount",)
)
_OWN_BUDGETS = ("own_daily_budget", "own_monthly_budget", "own_lifetime_budget")
# Which fields of which calls are of a kind.
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "money": {
        **_AMOUNT,
        "capture": ("amount",),
        "create brand": _BRAND_BUDGETS,
        "edit brand": _BRAND_BUDGETS,
        "create campaign": _OWN_BUDGETS,
    },
    # A capture without an amount is one of all.
    "positive money": _AMOUNT,
    "id": {
        **dict.fromkeys(("add", "report", "create hold"), ("campaign_id",)),
        "refund": ("spend_log_id",),
        "create campaign": ("brand_id",),
    },
    "name": dict.fromkeys(("create brand", "edit brand", "create campaign"), ("name",)),
    "reason": {"refund": ("reason",)},
    "event id": dict.fromkeys((*_AMOUNT, "capture"), ("event_id",)),
    "seconds": {"create hold": ("seconds",)},
    "currency": dict.fromkeys(
        ("add", "report", "create hold", "create brand", "edit brand"), ("currency",)
    ),
    "time zone": dict.fromkeys(("create brand", "edit brand"), ("time_zone",)),
    "instant": {"report": ("occurred_at",), "create campaign": ("starts_at", "ends_at")},
    "switch": dict.fromkeys(("create brand", "edit brand", "create campaign"), ("is_enabled",)),
    "schedule": {"create campaign": ("schedule",)},
}
