"""Our own API as a new partner meets it: token, records (good, again, contradictory, malformed), then whole files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetched, Fetcher
from carbon_credits.cli.conformance.reading import sample_of
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, Record

RECORDS: Final = "/partner/v1/records"


@dataclass
class Api:
    """A partner's way to our API: the base address, the credentials, and the token once it has one."""

    fetcher: Fetcher
    base: str
    client_id: str
    client_secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def call(self, method: str, path: str, *, key: str | None = None, **given: Any) -> Fetched:
        """Call with the token and, where one is given, an idempotency key. Raises FetchFault."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept-Language": "en",
            **given.pop("headers", {}),
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.fetcher.call(method, self.base + path, headers=headers, **given)

    def ask_for_token(self, secret: str) -> Fetched:
        """Ask with this secret."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": secret,
        }
        return self.fetcher.call("POST", f"{self.base}/oauth/token", data=form)


def check_token(report: Report, api: Api) -> bool:
    """Wrong and right credentials; whether there is a token now."""
    wrong = api.ask_for_token("x" * 43)
    mend = Text("错误的密钥应被拒绝", "A wrong secret is refused")
    report.expect("token_wrong_secret", wrong.status == 401, _said(wrong), mend)
    right = api.ask_for_token(api.client_secret)
    told = right.kept() if right.status == 200 else None
    api.token = told["access_token"] if isinstance(told, dict) else ""
    mend = Text("检查 client_id 与密钥", "Look at the client's id and secret")
    return report.expect("token", bool(api.token), _said(right), mend)


def check_records(report: Report, api: Api, feed: Feed, subject: str | None) -> None:
    """The records door: what is good, told again, told otherwise, and malformed."""
    record = a_record(feed, subject)
    if record is None:
        report.skip("records", Text("此数据源只收文件", "This feed takes files alone"))
        return
    send = _sender(api, feed)
    _refusals(report, api, feed, record)
    good = send([record], uuid4().hex)
    status = _status(good)
    mend = Text("按返回的原因改正", "Mend what the reasons say")
    if not report.expect("record_good", status in ("accepted", "waiting", "duplicate"), _said(good), mend):
        return
    again = _status(send([record], uuid4().hex))
    right = "duplicate" if status != "waiting" else "waiting"
    mend = Text("同一编号只计一次", "The same id counts once")
    report.expect("record_again", again == right, Text(str(again), str(again)), mend)
    if status == "waiting":
        why = Text("用户未绑定，无法比对；请给出 --subject", "its customer is not bound: give --subject")
        report.skip("record_contradictory", why)
        return
    other = {**record, "monitored": {name: n + 1 for name, n in record["monitored"].items()}}
    answer = send([other], uuid4().hex)
    mend = Text("内容不同须作为更正发送", "Other content under a known id is a correction")
    report.expect("record_contradictory", _status(answer) == "refused", _said(answer), mend)


def a_record(feed: Feed, subject: str | None) -> dict[str, Any] | None:
    """A record of yesterday, made of the feed's own samples; None where they hold none that stands alone."""
    for name in feed.samples:
        for item in sample_of(feed, name):
            if isinstance(item, Record):
                return {
                    "record_id": f"conformance-{uuid4().hex[:12]}",
                    "subject": subject or item.subject_token,
                    "methodology": item.methodology,
                    "occurred_from": item.occurred_from.isoformat(),
                    "occurred_to": item.occurred_to.isoformat(),
                    "monitored": dict(item.monitored),
                    "references": {
                        key: f"{value}-{uuid4().hex[:6]}" for key, value in item.references.items()
                    },
                }
    return None


def _sender(api: Api, feed: Feed) -> Callable[[list[dict[str, Any]], str], Fetched]:
    def send(records: list[dict[str, Any]], key: str) -> Fetched:
        return api.call("POST", RECORDS, key=key, json={"feed": feed.code, "records": records})

    return send


def _refusals(report: Report, api: Api, feed: Feed, record: Mapping[str, Any]) -> None:
    body = {"feed": feed.code, "records": [record]}
    cases: dict[str, tuple[Fetched, int, str]] = {
        "record_without_token": (
            api.call("POST", RECORDS, key=uuid4().hex, json=body, headers={"Authorization": "Bearer x"}),
            401,
            "token_refused",
        ),
        "record_without_key": (api.call("POST", RECORDS, json=body), 400, "idempotency_key_missing"),
        "record_malformed": (
            api.call("POST", RECORDS, key=uuid4().hex, json={**body, "records": [{"record_id": 1}]}),
            422,
            "wrong_fields",
        ),
        "record_not_json": (
            api.call(
                "POST",
                RECORDS,
                key=uuid4().hex,
                data=b'{"feed": "',
                headers={"Content-Type": "application/json"},
            ),
            400,
            "bad_json",
        ),
        "record_unknown_feed": (
            api.call("POST", RECORDS, key=uuid4().hex, json={**body, "feed": "nobody"}),
            404,
            "feed_not_found",
        ),
    }
    for name, (answer, status, code) in cases.items():
        told = answer.kept()
        said = told.get("code") if isinstance(told, dict) else None
        mend = Text(f"应为 {status} {code}", f"Should be {status} {code}")
        report.expect(name, (answer.status, said) == (status, code), _said(answer), mend)


def _status(answer: Fetched) -> str | None:
    told = answer.kept()
    try:
        return str(told["results"][0]["status"])
    except (KeyError, IndexError, TypeError):
        return None


def _said(answer: Fetched) -> Text:
    """What an answer says, short: its status and code, and why a row was refused."""
    told = answer.kept()
    code = told.get("code") or told.get("error") or "" if isinstance(told, dict) else ""
    try:
        row = told["results"][0]
        code = " ".join([row["status"], *(reason["code"] for reason in row["reasons"])])
    except (KeyError, IndexError, TypeError):
        pass
    words = f"HTTP {answer.status} {code}".strip()
    return Text(words, words)
