"""What this Stripe knows: objects, lines of each balance, events, answers given under keys. One lock, one file."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

API_VERSION = "2026-10-28.endive"
OURS = ""


class Refusal(Exception):
    """A no, as Stripe says it."""

    def __init__(
        self,
        code: str | None,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        decline_code: str | None = None,
        kept: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        # whether the answer is remembered under the key: not for what never began
        self.kept = kept
        told = {
            "type": kind,
            "code": code,
            "message": message,
            "param": param,
            "decline_code": decline_code,
        }
        self.body = {"error": {name: value for name, value in told.items() if value is not None}}


@dataclass
class Books:
    """The state. Whoever changes it holds `lock` and calls `save` before it is known outside."""

    path: Path | None = None
    shift_s: int = 0
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    told: Callable[[dict[str, Any]], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text())
            for name in ("objects", "lines", "events", "answers", "last"):
                setattr(self, name, kept[name])

    def save(self) -> None:
        """Write the state down whole, or not at all."""
        if self.path is None:
            return
        kept = {
            "objects": self.objects,
            "lines": self.lines,
            "events": self.events,
            "answers": self.answers,
            "last": self.last,
        }
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(kept))
        os.replace(beside, self.path)

    def now(self) -> int:
        """Seconds since the epoch, moved by `shift_s`."""
        return int(time.time()) + self.shift_s

    def new_id(self, prefix: str) -> str:
        """An id that was never used."""
        self.last += 1
        rest = hashlib.sha256(f"{prefix}{self.last}".encode()).hexdigest()[:10]
        return f"{prefix}_1{self.last:013d}{rest}"

    def add(self, kind: str, prefix: str, **values: Any) -> dict[str, Any]:
        """A new object."""
        made = {
            "id": self.new_id(prefix),
            "object": kind,
            "created": self.now(),
            "livemode": False,
            **values,
        }
        self.objects[made["id"]] = made
        return made

    def of(self, kind: str, reference: str, param: str = "id") -> dict[str, Any]:
        """An object that exists. Raises Refusal."""
        found = self.objects.get(reference)
        if found is None or found["object"] != kind:
            status = 404 if param == "id" else 400
            raise Refusal(
                "resource_missing", f"No such {kind}: '{reference}'", status=status, param=param, kept=False
            )
        return found

    def all_of(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """Objects of a kind with these values, the newest first."""
        return [
            one
            for one in reversed(self.objects.values())
            if one["object"] == kind and all(one.get(name) == value for name, value in wanted.items())
        ]

    def book(
        self,
        kind: str,
        amount: int,
        source: str,
        *,
        account: str = OURS,
        fee: int = 0,
        pending: bool = False,
        currency: str = "cny",
    ) -> str:
        """A line of a balance: signed amount, fee apart. Returns its id."""
        line = {
            "id": self.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": self.now(),
            "created": self.now(),
            "currency": currency,
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [],
            "net": amount - fee,
            "reporting_category": kind,
            "source": source,
            "status": "pending" if pending else "available",
            "type": kind,
            "_account": account,
        }
        self.lines.append(line)
        return str(line["id"])

    def balance(self, account: str = OURS, *, pending: bool = False, currency: str = "cny") -> int:
        """What an account has, in the smallest unit."""
        status = "pending" if pending else "available"
        return sum(
            line["net"]
            for line in self.lines
            if (line["_account"], line["status"], line["currency"]) == (account, status, currency)
        )

    def tell(self, kind: str, about: Mapping[str, Any], account: str | None = None) -> dict[str, Any]:
        """An event with the object as it is now."""
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": {"object": json.loads(json.dumps(shown(about)))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        if account is not None:
            event["account"] = account
        self.events.append(event)
        self.told(event)
        return event

    def told_of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a type, oldest first."""
        with self.lock:
            return [event for event in self.events if event["type"] == kind]

    def forget_keys(self) -> None:
        """A day has passed: what was answered under which key is not known any more."""
        with self.lock:
            self.answers.clear()
            self.save()


def shown(told: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what only this side knows."""
    return {name: value for name, value in told.items() if not name.startswith("_")}


def page(
    found: Iterator[dict[str, Any]] | list[dict[str, Any]], url: str, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """One page of a list, the newest first."""
    rows = list(found)
    limit = asked.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal("parameter_invalid_integer", "Limit is between 1 and 100", param="limit", kept=False)
    ids = [row["id"] for row in rows]
    if "starting_after" in asked:
        rows = rows[ids.index(asked["starting_after"]) + 1 :]
    window = asked.get("created", {})
    if isinstance(window, Mapping):
        rows = [
            row
            for row in rows
            if window.get("gte", 0) <= row["created"] < window.get("lt", 1 << 62)
            and window.get("gt", -1) < row["created"] <= window.get("lte", 1 << 62)
        ]
    return {
        "object": "list",
        "url": url,
        "has_more": len(rows) > limit,
        "data": [shown(row) for row in rows[:limit]],
    }
