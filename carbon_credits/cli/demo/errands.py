"""What residents do with their points when the day is over: at a till, for trees; and what does not work out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from carbon_credits.cli.demo.doors import Doors, why
from carbon_credits.cli.demo.stalls import BREAKFAST, LUNCH, SEEDLING
from carbon_credits.rewards.offers import Draft

# at how many wallets we look for somebody who has enough
MOST_ASKED: Final = 60
REDEEM, CAPTURE = "/v1/redemptions", "/merchant/v1/captures"


@dataclass(frozen=True)
class Errand:
    """One thing that somebody did, what it was answered, and the points it was about."""

    what: str
    answer: str
    points: int


@dataclass(frozen=True)
class _Counter:
    """A till of the demonstration, and the offers by their titles."""

    doors: Doors
    till: str
    offers: Mapping[str, dict[str, Any]]
    steps: "count[int]"

    def ask(self, path: str, body: dict[str, Any], token: str) -> tuple[dict[str, Any], str]:
        """What a door told, and how that reads: its number where it said yes, its reason where it said no."""
        answer = self.doors.ask(path, body, token, next(self.steps))
        told: dict[str, Any] = answer.json()
        if answer.ok:
            return told, f"{answer.status_code} {told['status']}"
        return told, f"{why(answer)} {told.get('detail', '')}"

    def reserve(self, draft: Draft, token: str) -> tuple[dict[str, Any], str]:
        """Take an offer at the price that it shows."""
        offer = self.offers[draft.title.zh]
        return self.ask(REDEEM, {"offer_id": offer["id"], "points": offer["points"]}, token)


def run(doors: Doors, tokens: Mapping[int, str], merchant: Mapping[str, Any]) -> list[Errand]:
    """Four who have enough, in the order of their numbers, go to the till or give; nobody is asked twice."""
    if not tokens:
        return []
    first = next(iter(tokens.values()))
    offers = {one["title"]["zh"]: one for one in doors.look("/v1/offers?limit=50", first)["items"]}
    counter = _Counter(doors, doors.client_token(merchant), offers, count())
    rich = _with_points(doors, tokens)
    return [
        errand
        for do, points in (
            (_donate, SEEDLING.points),
            (_take, BREAKFAST.points),
            (_undo, BREAKFAST.points),
            (_leave, BREAKFAST.points),
        )
        if (token := next((rich.pop(who)[0] for who in list(rich) if rich[who][1] >= points), None))
        for errand in do(counter, token)
    ]


def _with_points(doors: Doors, tokens: Mapping[int, str]) -> dict[int, tuple[str, int]]:
    found = {}
    for number, token in sorted(tokens.items())[:MOST_ASKED]:
        found[number] = token, int(doors.look("/v1/wallet", token)["points"]["available"])
    return found


def _donate(counter: _Counter, token: str) -> Iterator[Errand]:
    _, answer = counter.reserve(SEEDLING, token)
    yield Errand("捐赠 donation", answer, SEEDLING.points)


def _take(counter: _Counter, token: str) -> Iterator[Errand]:
    _, answer = counter.reserve(LUNCH, token)
    yield Errand("午餐券 voucher for lunch", answer, LUNCH.points)
    made, answer = counter.reserve(BREAKFAST, token)
    yield Errand("早点券 voucher for breakfast", answer, BREAKFAST.points)
    for what in ("核销 taken at the till", "再次出示 shown once more"):
        _, answer = counter.ask(CAPTURE, {"code": made.get("short_code")}, counter.till)
        yield Errand(what, answer, BREAKFAST.points)


def _undo(counter: _Counter, token: str) -> Iterator[Errand]:
    made, _ = counter.reserve(BREAKFAST, token)
    taken, answer = counter.ask(CAPTURE, {"code": made.get("short_code")}, counter.till)
    yield Errand("核销 taken at the till", answer, BREAKFAST.points)
    reason = {"reason": "点错商品 / the wrong dish"}
    _, answer = counter.ask(f"{CAPTURE}/{taken.get('id')}/reversal", reason, counter.till)
    yield Errand("当日撤销 undone the same day", answer, -BREAKFAST.points)


def _leave(counter: _Counter, token: str) -> Iterator[Errand]:
    made, answer = counter.reserve(BREAKFAST, token)
    until = made.get("expires_at", "")
    yield Errand(f"未使用，到期退回 left, comes back at {until}", answer, BREAKFAST.points)
