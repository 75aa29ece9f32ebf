"""Text messages by HTTP: one POST of `{to, text, code}` to the gateway that the programme was told of."""

from typing import Final

import requests

from carbon_credits.core.messages import NotDelivered

TIMEOUT_S: Final = 3
_NEVER: Final = frozenset({400, 404, 410, 422})


class SmsGateway:
    """A gateway takes a message with any 2xx answer; redirects are not followed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, to: str, text: str, code: str | None) -> None:
        """Hand over one message. Raises NotDelivered, for good when the gateway calls the message wrong."""
        try:
            answer = requests.post(
                self._url,
                json={"to": to, "text": text, "code": code},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise NotDelivered(f"gateway_{type(error).__name__.lower()}") from error
        with answer:
            if not 200 <= answer.status_code < 300:
                reason = f"gateway_answered_{answer.status_code}"
                raise NotDelivered(reason, permanent=answer.status_code in _NEVER)
