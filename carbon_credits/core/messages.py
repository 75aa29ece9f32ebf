"""What leaves the house: the contract of a text message provider, and how a provider says no."""

from typing import Protocol


class NotDelivered(Exception):
    """Not taken. `reason` is a short code without personal data; `permanent` means never."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class TextMessages(Protocol):
    """A provider of text messages, chosen where the programme is put together."""

    def send(self, to: str, text: str, code: str | None) -> None:
        """Hand over one message: `to` in E.164, `code` for providers that fill in a template.

        Raises NotDelivered. May be called twice for one message: delivery is at least once.
        """
