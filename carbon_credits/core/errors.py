"""What can go wrong, by meaning. Services raise these; each door says them in its own language.

`code` is stable and public; `detail` is for people, in Chinese and English; `pointer` names the field
(JSON pointer) when one field is to blame.
"""

from dataclasses import dataclass

from carbon_credits.core.i18n import Text


@dataclass(frozen=True)
class FieldFault:
    """One field that is wrong, where it is and what would be right."""

    pointer: str
    code: str
    detail: Text


class ProgrammeError(Exception):
    """A refusal in the programme's own words. Subclasses say what kind of no it is."""

    def __init__(self, code: str, detail: Text, *, faults: tuple[FieldFault, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = faults


class NotFound(ProgrammeError):
    """There is no such thing, or it is not yours: the two look the same."""


class Invalid(ProgrammeError):
    """The words are well formed and cannot be accepted as they are."""


class Conflict(ProgrammeError):
    """True a moment ago, or done already."""


class NotAllowed(ProgrammeError):
    """Known, and not entitled."""


class NotAuthenticated(ProgrammeError):
    """Unknown, expired or revoked."""


class TooMany(ProgrammeError):
    """A counter is full; `retry_after_s` says when to come back."""

    def __init__(self, code: str, detail: Text, *, retry_after_s: int) -> None:
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


class Unavailable(ProgrammeError):
    """A thing we stand on is away; nothing was done."""

    def __init__(self, code: str, detail: Text, *, retry_after_s: int = 2) -> None:
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


class InvariantBroken(Exception):
    """The books would not balance: the transaction is rolled back and a person must look."""
