"""What merchants are owed, worked out again in plain Python from the captures alone, a day after another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from tests.rewards.till_ground import Taken


@dataclass(frozen=True)
class Owed:
    """A merchant's day: micro-fen but for `amount_fen`."""

    captures: int
    reversals: int
    carried_in: int
    lines: int
    amount_fen: int
    carried_out: int


def owed(
    taken: Iterable[Taken], adjusted: Mapping[tuple[int, date], int] | None = None
) -> dict[tuple[int, date], Owed]:
    """Every statement there should be, by merchant and day; `adjusted` is what each was put right by, in fen."""
    days: dict[tuple[int, date], list[int]] = defaultdict(list)
    for one in taken:
        days[one.shop.merchant_id, one.day].append(one.shop.micro_fen)
        if one.undone:
            days[one.shop.merchant_id, one.day].append(-one.shop.micro_fen)
    extra = adjusted or {}
    made: dict[tuple[int, date], Owed] = {}
    carry: dict[int, int] = defaultdict(int)
    for merchant, day in sorted({*days, *extra}, key=lambda key: (key[1], key[0])):
        lines = days.get((merchant, day), [])
        whole = carry[merchant] + sum(lines) + extra.get((merchant, day), 0) * 1_000_000
        fen = whole // 1_000_000 if whole > 0 else 0
        rest = whole - fen * 1_000_000
        made[merchant, day] = Owed(
            sum(line > 0 for line in lines),
            sum(line < 0 for line in lines),
            carry[merchant],
            sum(lines),
            fen,
            rest,
        )
        carry[merchant] = rest
    return made


def digest_of(taken: Iterable[Taken], merchant: int, day: date, found: Owed, before: bytes | None) -> bytes:
    """The digest of a statement without adjustments, as a merchant would work it out from its lines."""
    lines = []
    for one in taken:
        if (one.shop.merchant_id, one.day) != (merchant, day):
            continue
        for kind, sign in ((b"\x01", 1), (b"\x02", -1))[: 1 + one.undone]:
            told = b"\x00" + one.capture_id.bytes + kind
            told += _wide(sign * one.shop.micro_fen) + _wide(sign * one.shop.subsidy_fen)
            lines.append(
                (one.capture_id.bytes + kind, sha256(told + _narrow(one.shop.purse_id or 0)).digest())
            )
    of_lines = sha256(b"".join(hashed for _, hashed in sorted(lines))).digest()
    told = b"\x01" + _narrow(merchant) + _narrow((day - date(2000, 1, 1)).days)
    told += _narrow(found.captures) + _narrow(found.reversals)
    told += _wide(found.carried_in) + _wide(found.lines) + _wide(0)
    told += _wide(found.amount_fen) + _wide(found.carried_out)
    return sha256(told + of_lines + sha256(b"").digest() + (before or bytes(32))).digest()


def _wide(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def _narrow(number: int) -> bytes:
    return number.to_bytes(4, "big", signed=True)
