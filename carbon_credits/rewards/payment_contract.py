"""What a way of paying plugs into: a rail takes a payment out, tells what became of it, and lists what it did.

An implementation stands in `integrations/` and is handed in by `wsgi.py`. It keeps nothing: what was asked, under
which key, and what was answered are rows of ours. Amounts are whole fen; nothing here is a float.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol


class Unknown(Exception):
    """No answer, or one that says nothing: the money may or may not have moved. Ask again under the same key."""


class Refused(Exception):
    """A definite no: nothing moved and nothing will under this key. `code` is short and without personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Outcome(StrEnum):
    """What a rail says of a payment."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    REVERSED = "reversed"


@dataclass(frozen=True)
class Instruction:
    """One payment to a merchant. `key` is derived from our row, `group` names the settlement for looking it up."""

    key: str
    group: str
    destination: str
    amount_fen: int
    memo: str


@dataclass(frozen=True)
class Told:
    """What a rail says of one payment: its own reference, the outcome, how much of it came back, in fen."""

    reference: str
    outcome: Outcome
    reversed_fen: int = 0
    failure: str | None = None


@dataclass(frozen=True)
class StatementLine:
    """One movement on the rail's account of us: signed fen as the rail's balance sees it, the fee apart.

    `kind` is the rail's own word; `source_ref` is the reference of the payment it is about, also for money of it that
    came back.
    """

    line_id: str
    kind: str
    amount_fen: int
    fee_fen: int
    source_ref: str | None
    occurred_at: datetime
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """One line of a file for the bank: whom to pay, whole fen, and the reference its answer comes back with."""

    reference: str
    holder: str
    number: str
    bank_code: str
    amount_fen: int
    memo: str


class Unreadable(Exception):
    """A file that is not what it says: nothing of it is taken in. `code` is short, `line` counts from 1."""

    def __init__(self, code: str, line: int | None = None) -> None:
        super().__init__(f"{code} in line {line}" if line else code)
        self.code = code
        self.line = line


Encoding = Literal["gb18030", "utf-8"]


class BankFormat(Protocol):
    """How payments are written into a file for a bank, and how its answers are read."""

    def write(self, orders: Sequence[Order], encoding: Encoding) -> bytes:
        """The file, the same bytes for the same orders."""

    def read(self, raw: bytes) -> Sequence[StatementLine]:
        """What the bank says in a file, whole. Raises Unreadable."""


class Rail(Protocol):
    """A way of paying merchants."""

    @property
    def name(self) -> Literal["stripe", "bank"]:
        """What it is called in our rows."""

    def pay(self, instruction: Instruction) -> Told:
        """Send a payment, or hear again what became of it under the same key. Raises Refused, Unknown."""

    def find(self, instruction: Instruction) -> Told | None:
        """What is known of a payment by its group and key, long after; None when it never arrived. Raises Unknown."""

    def look_up(self, reference: str) -> Told:
        """What became of a payment by the rail's own reference. Raises Refused, Unknown."""

    def take_back(self, reference: str, amount_fen: int, key: str) -> Told:
        """Reverse part or all of a payment, in fen. Raises Refused (the destination is short) and Unknown."""

    def statement(self, since: datetime, until: datetime) -> Iterator[StatementLine]:
        """Every movement from `since` to before `until`, oldest first. Raises Unknown."""


@dataclass(frozen=True)
class Onboarding:
    """A merchant's account at a provider, and where its owner completes it."""

    reference: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Payout:
    """What went from a merchant's account at a provider to its bank; `failure` says why the bank did not take it.

    `amount` is in the smallest unit of `currency`, the account's own.
    """

    reference: str
    amount: int
    currency: str
    made_at: datetime
    failure: str | None


Means = Literal["checkout", "intent"]


@dataclass(frozen=True)
class Collection:
    """A sponsor's payment at a provider: its reference, that of the money behind it, and how to pay.

    A page has a `url`; where the sponsor's own page pays, it needs `secret`, which is shown and never kept. `declined`
    says why the last attempt to pay failed while another may be made: the state is still open.
    """

    reference: str
    intent_ref: str | None
    url: str | None
    state: Literal["open", "paid", "failed", "expired"]
    amount_fen: int
    refunded_fen: int
    secret: str | None = field(default=None, repr=False)
    declined: str | None = None


class Collector(Protocol):
    """A way of receiving sponsors' money and of giving it back, and of bringing merchants in."""

    @property
    def name(self) -> Literal["stripe"]:
        """What it is called in our rows."""

    def onboard(self, merchant_code: str, reference: str | None, key: str) -> Onboarding:
        """An account for a merchant (or a fresh link for the one it has). Raises Refused, Unknown."""

    def can_be_paid(self, reference: str) -> bool:
        """Whether an account may receive transfers now. Raises Refused, Unknown."""

    def last_payout(self, reference: str) -> Payout | None:
        """The newest payout of an account that has an end, if there is one. Raises Refused, Unknown."""

    def ask(self, means: Means, amount_fen: int, memo: str, key: str) -> Collection:
        """Ask a sponsor for money, or hear again what was asked under the same key. Raises Refused, Unknown."""

    def state_of(self, means: Means, reference: str) -> Collection:
        """What became of it. Raises Refused, Unknown."""

    def end(self, means: Means, reference: str) -> Collection:
        """Ask no longer: nobody can pay it from then on. Raises Refused (it is paid, or ended) and Unknown."""

    def give_back(self, intent_ref: str, amount_fen: int, key: str) -> Told:
        """Refund part or all of it, in fen, or hear again under the same key. Raises Refused, Unknown."""

    def find_refund(self, intent_ref: str, key: str) -> Told | None:
        """What is known of a refund by its key, long after; None when it never arrived. Raises Refused, Unknown."""

    def refund_of(self, reference: str) -> Told:
        """What became of a refund by the provider's own reference. Raises Refused, Unknown."""


@dataclass(frozen=True)
class Notice:
    """What a provider told us unasked, once its signature was found right: its number, kind, and what it is about.

    `account_ref` is the merchant's account it happened in; None for the programme's own.
    """

    event_id: str
    type: str
    object_ref: str | None
    account_ref: str | None = None


class Notices(Protocol):
    """How a provider's notices are told from forgeries."""

    @property
    def provider(self) -> Literal["stripe"]:
        """What it is called in our rows and in the address it tells."""

    def read(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notice:
        """The notice in a raw body. Raises Refused for a forged, altered or old one."""


@dataclass(frozen=True)
class Ways:
    """The ways money goes out and comes in, as `wsgi.py` hands them in; a rail that is not here pays nobody."""

    rails: Mapping[str, Rail] = field(default_factory=dict)
    bank: BankFormat | None = None
    collector: Collector | None = None
    notices: Mapping[str, Notices] = field(default_factory=dict)
