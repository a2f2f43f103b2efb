"""What names, currencies and event ids may look like."""

import unicodedata

from core.errors import InvalidFieldError

LONGEST_NAME = 200
LONGEST_EVENT_ID = 200
# ISO 4217, active codes of November 2026 without funds and precious metals (C2).
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
    GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF
    KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)


def parse_name(text: str, field: str) -> str:
    """A name of 1 to 200 characters without control characters, outer spaces removed.

    Raises InvalidFieldError.
    """
    name = text.strip()
    _check_text(name, field, LONGEST_NAME)
    return name


def parse_event_id(text: str, field: str) -> str:
    """A caller's own name for one spend, 1 to 200 characters taken as they are (C21).

    Raises InvalidFieldError.
    """
    _check_text(text, field, LONGEST_EVENT_ID)
    return text


def parse_currency(text: str, field: str) -> str:
    """An ISO 4217 code such as `USD` (C2). Raises InvalidFieldError."""
    if text not in CURRENCIES:
        raise InvalidFieldError(field, "must be an ISO 4217 currency code such as USD")
    return text


def _check_text(text: str, field: str, longest: int) -> None:
    if not text:
        raise InvalidFieldError(field, "must not be empty")
    if len(text) > longest:
        raise InvalidFieldError(field, f"must have at most {longest} characters")
    if text.isascii() and text.isprintable():
        return  # As nearly all are, and each of thousands of a batch is looked at.
    # Control characters and lone surrogates: no database keeps all of them alike (C30).
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidFieldError(field, "must not contain control characters")
