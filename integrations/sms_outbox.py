"""The demonstration's text messages: a line in a file instead of a phone that rings."""

import json
import os
from pathlib import Path


class SmsOutbox:
    """Appends `{to, text, code}` to a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, to: str, text: str, code: str | None) -> None:
        """One line for one message, written at once so that lines of several processes do not mix."""
        line = json.dumps({"to": to, "text": text, "code": code}, ensure_ascii=False) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
