"""Mainland mobile numbers: one written form, one index to find them by, one way to show them."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text

# the library looks for a number inside other text; here there is nothing but the number
_WRITTEN = re.compile(r"\+?[0-9][0-9 ()-]{4,30}")
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def normalised(phone: str) -> str:
    """A mainland mobile number in E.164 (`+8613800000001`); raises Invalid for anything else."""
    if not _WRITTEN.fullmatch(phone):
        raise _wrong()
    try:
        number = phonenumbers.parse(phone, "CN")
    except NumberParseException as error:
        raise _wrong() from error
    mobile = phonenumbers.number_type(number) in _MOBILE
    if number.country_code != 86 or number.extension or not mobile:
        raise _wrong()
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def phone_index(vault: Vault, phone: str) -> bytes:
    """The blind index of a number in E.164."""
    return vault.blind("phone", phone)


def masked(phone: str) -> str:
    """`138****8000`: enough to recognise one's own, too little to call."""
    national = phone.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"


def _wrong() -> Invalid:
    detail = Text("请输入中国大陆手机号码", "A mainland China mobile number is needed")
    return Invalid("phone_not_valid", detail, faults=(FieldFault("/phone", "phone_not_valid", detail),))
