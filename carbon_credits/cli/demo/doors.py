"""The day at the real doors: signing in by code, claiming, pushing records, all over HTTP."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click
import requests

from carbon_credits.cli.demo.district import Claimed, Pushed

TIMEOUT_S: Final = 30
CODE_WITHIN_S: Final = 30.0
LOOK_S: Final = 0.05
AWAY: Final = frozenset({429, 503})
BUSY: Final = AWAY | {409}
ATTEMPTS: Final = 5


@dataclass
class Heard:
    """What the doors answered: acts by public name, and answers by door and kind."""

    acts: set[str] = field(default_factory=set)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, door: str, kind: str, act: str | None = None) -> None:
        """Count one answer, and remember the act it names."""
        with self._lock:
            self.answers[door, kind] += 1
            if act is not None:
                self.acts.add(act)


class Texts:
    """The demonstration's text messages, read as they are written; older ones are left alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._codes: dict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def code_for(self, phone: str) -> str:
        """The next code sent to a phone. Raises ClickException when none comes: is the background worker up?"""
        ends = time.monotonic() + CODE_WITHIN_S
        while time.monotonic() < ends:
            with self._lock:
                self._read()
                if self._codes[phone]:
                    return self._codes[phone].pop(0)
            time.sleep(LOOK_S)
        raise click.ClickException(
            "短信未送达，后台任务是否在运行 / no text came: is the background worker running?"
        )

    def _read(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                told = json.loads(line)
                self._codes[told["to"]].append(told["code"])
                self._at += len(line)


class Doors:
    """One address, one set of texts; each thread keeps its own connection."""

    def __init__(self, url: str, texts: Texts, seed: int) -> None:
        self.heard = Heard()
        self._url = url.rstrip("/")
        self._texts = texts
        self._seed = seed
        self._own = threading.local()

    def sign_in(self, phone: str) -> str:
        """A resident's access token, by a code from the texts."""
        asked = self._post("/v1/auth/otp", {"phone": phone})
        told = {"challenge_id": _json(asked, 202)["challenge_id"], "code": self._texts.code_for(phone)}
        token: str = _json(self._post("/v1/auth/token", told), 200)["access_token"]
        self.heard.note("sign_in", "202")
        return token

    def claim(self, token: str, claimed: Claimed) -> None:
        """An act as often as it is told, each time under another key: the phone that never saw the answer."""
        for time_told in range(claimed.times):
            answer = self._post("/v1/activities", claimed.body, token, self._key(claimed.body, time_told))
            if answer.status_code == 202:
                name = answer.json()["id"]
                kind = "again" if time_told else "202"
                self.heard.note("app", kind, name)
            else:
                self.heard.note("app", why(answer))

    def ask(self, path: str, body: dict[str, Any], token: str, step: int) -> requests.Response:
        """Whatever a door says to one step of somebody's errand, a no as well as a yes."""
        return self._post(path, body, token, self._key({"path": path, **body}, step), AWAY)

    def look(self, path: str, token: str) -> dict[str, Any]:
        """What may be read at a door."""
        headers = {"Authorization": f"Bearer {token}"}
        return _json(self._session().get(self._url + path, headers=headers, timeout=TIMEOUT_S), 200)

    def client_token(self, client: Mapping[str, Any]) -> str:
        """A partner's or a merchant's access token, for its client's secret."""
        form = {"grant_type": "client_credentials"}
        basic = (client["client_id"], client["client_secret"])
        answer = self._session().post(f"{self._url}/oauth/token", data=form, auth=basic, timeout=TIMEOUT_S)
        token: str = _json(answer, 200)["access_token"]
        return token

    def push(self, token: str, feed: str, pushed: Sequence[Pushed]) -> None:
        """Records of one feed in one request; each has its own answer."""
        body = {"feed": feed, "records": [each.record for each in pushed]}
        answer = self._post("/partner/v1/records", body, token, self._key(body, 0))
        if answer.status_code != 200:
            self.heard.note("push", why(answer))
            return
        for row in answer.json()["results"]:
            codes = "+".join(reason["code"] for reason in row["reasons"])
            is_told = row["status"] in ("waiting", "refused")
            kind = f"{row['status']}:{codes}" if is_told else row["status"]
            self.heard.note("push", kind, row["id"] if row["status"] in ("accepted", "duplicate") else None)

    def _post(
        self,
        path: str,
        body: dict[str, Any],
        token: str | None = None,
        key: str | None = None,
        busy: frozenset[int] = BUSY,
    ) -> requests.Response:
        """Send until the answer is one; the key makes repeating harmless."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        said = json.dumps(body, ensure_ascii=False).encode()
        for attempt in range(ATTEMPTS):
            answer = self._session().post(self._url + path, data=said, headers=headers, timeout=TIMEOUT_S)
            if answer.status_code not in busy:
                break
            time.sleep(min(2, int(answer.headers.get("Retry-After", "1"))) * (attempt + 1))
        return answer

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            # a proxy named in the environment has nothing to do with our own loopback
            self._own.session.trust_env = False
        session: requests.Session = self._own.session
        return session

    def _key(self, body: dict[str, Any], time_told: int) -> str:
        words = json.dumps([self._seed, time_told, body], sort_keys=True, ensure_ascii=False)
        return "demo-" + sha256(words.encode()).hexdigest()[:32]


def _json(answer: requests.Response, expected: int) -> dict[str, Any]:
    if answer.status_code != expected:
        raise click.ClickException(f"{answer.request.method} {answer.request.path_url}: {why(answer)}")
    told: dict[str, Any] = answer.json()
    return told


def why(answer: requests.Response) -> str:
    """`422 in_the_future`: the status and the most precise code there is."""
    try:
        told = answer.json()
        errors = told.get("errors") or [told]
        code = errors[0].get("code") or told.get("error") or ""
    except (ValueError, AttributeError):
        code = ""
    return f"{answer.status_code} {code}".strip()
