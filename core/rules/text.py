"""What a name and a currency may look like."""

import unicodedata

from core.errors import InvalidFieldError

LONGEST_NAME = 200
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
    if not name:
        raise InvalidFieldError(field, "must not be empty")
    if len(name) > LONGEST_NAME:
        raise InvalidFieldError(field, f"must have at most {LONGEST_NAME} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise InvalidFieldError(field, "must not contain control characters")
    return name


def parse_currency(text: str, field: str) -> str:
    """An ISO 4217 code such as `USD` (C2). Raises InvalidFieldError."""
    if text not in CURRENCIES:
        raise InvalidFieldError(field, "must be an ISO 4217 currency code such as USD")
    return text
