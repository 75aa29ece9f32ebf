"""Uncertainty and the conservative bound (IPCC 2006 vol. 1 ch. 3, error propagation; TREES 2.0 §8; CDM's lower bound).

Factors are shared by every credit, so their errors do not average out: what is needed of a batch is one sum for each
uncertain parameter, E = Σ g · ∂mg/∂g, the milligrams by which the total moves when g is wrong by a whole itself.
Within a correlation group all errors move together, across releases and methodologies; groups are independent:

    half-width² = Σ over groups (Σ over the group's parameters E · h)²      h: relative 90 % half-width of a parameter

Integers: products rounded away from zero, the root and the deduction up, milligrams down. The measurements' own errors
are independent from act to act and vanish beside the factors' in a batch; none is declared, so none is counted.

Derivatives are taken of the tree, not measured. Supported: `+ - *` (products of parameters too), `least`, `greatest` and
`where`, of which the branch taken counts; how a parameter moves the choice of branch does not. Linear in each parameter
this is exact to first order; where a parameter stands in a condition, the condition is taken as it fell.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from enum import StrEnum
from math import isqrt
from typing import Any, Final

from carbon_credits.methodologies.formula import Expr, Number, Truth, constant, quantity, truth, where
from carbon_credits.methodologies.readings import bind

# one-sided normal quantiles in millionths: 95 % and 70 %
Z95: Final = 1_644_854
Z70: Final = 524_417
MILLION: Final = 10**6
# CPython rounds exp and ln of Decimal correctly, so these digits are the same on every machine
PRECISE: Final = Context(prec=34)
# a half-width is read to nine places
PLACES: Final = 10**9


class Rule(StrEnum):
    """How careful a claim is: the 30th percentile (TREES), or the lower end of the 90 % interval."""

    TREES_P30 = "trees-p30"
    LCB95 = "lcb95"

    @property
    def z(self) -> int:
        """The one-sided quantile, in millionths."""
        return Z70 if self is Rule.TREES_P30 else Z95


RULES: Final[Mapping[str, Rule]] = {"avoided": Rule.LCB95, "removal": Rule.TREES_P30}


@dataclass(frozen=True)
class Sensitivity:
    """How one uncertain parameter moves an act: `moves` is g · ∂mg/∂g, the release's parameters put in."""

    parameter: str
    half_width: Decimal
    group: str
    moves: Expr


@dataclass(frozen=True)
class Uncertain:
    """A release's sum over a batch: E of a parameter in whole milligrams, its half-width, its group."""

    moved_mg: int
    half_width: Decimal
    group: str


@dataclass(frozen=True)
class Bound:
    """A total and what can safely be claimed of it, in milligrams; `half_width_mg` (90 %) and `sd_mg` rounded up."""

    central_mg: int
    half_width_mg: int
    sd_mg: int
    normal_mg: int
    lognormal_mg: int
    rule: Rule

    @property
    def conservative_mg(self) -> int:
        """The smaller of the two: neither shape is always the safe one."""
        return min(self.normal_mg, self.lognormal_mg)

    @property
    def sd_ppm(self) -> int:
        """The relative standard deviation in millionths, rounded up; 0 of nothing."""
        return _up(self.sd_mg * MILLION, self.central_mg) if self.central_mg > 0 else 0


def bound(central_mg: int, parts: Iterable[Uncertain], rule: Rule) -> Bound:
    """The bound of a total: of one release, or of many when their parts are given together."""
    groups: dict[str, int] = {}
    for part in parts:
        groups[part.group] = groups.get(part.group, 0) + _away(
            part.moved_mg * _billionths(part.half_width), PLACES
        )
    half_width = _root_up(sum(moved * moved for moved in groups.values()))
    normal = max(0, central_mg - _up(half_width * rule.z, Z95))
    sd = _up(half_width * MILLION, Z95)
    return Bound(central_mg, half_width, sd, normal, _lognormal(central_mg, half_width, rule), rule)


def _lognormal(central: int, half_width: int, rule: Rule) -> int:
    """mean · exp(−z·s − s²/2) with s² = ln(1 + cv²), rounded down."""
    if central <= 0:
        return 0
    with localcontext(PRECISE):
        cv = Decimal(half_width) * MILLION / Z95 / central
        square = (1 + cv * cv).ln()
        factor = (-(Decimal(rule.z) / MILLION) * square.sqrt() - square / 2).exp()
        return int((central * factor).to_integral_value(ROUND_FLOOR))


# ---- what a release needs of each act ------------------------------------------------------------------------
def sensitivities(document: bytes) -> tuple[Expr, tuple[Sensitivity, ...]]:
    """Of a release's document: its formula with the parameters in it, and how each uncertain parameter moves it.

    An act's grams are zero where the formula is negative; the caller multiplies by the share that counted.
    """
    release = json.loads(document)
    tree = from_json(release["formula"])
    values = {p["name"]: Decimal(p["value"]) for p in release["parameters"]}
    moving = (p for p in release["parameters"] if Decimal(p["uncertainty"]))
    found = [
        Sensitivity(
            p["name"],
            Decimal(p["uncertainty"]),
            p["correlation"],
            bind(constant(values[p["name"]]) * derivative(tree, p["name"]), values),
        )
        for p in moving
        if p["name"] in _names(tree)
    ]
    return bind(tree, values), tuple(found)


def from_json(tree: list[Any]) -> Expr:
    """A tree from its canonical JSON."""
    op, *args = tree
    if op == "quantity":
        return quantity(args[0])
    if op == "const":
        return constant(Decimal(args[0]))
    kind = Truth if op in ("lt", "le", "gt", "ge", "and", "or") else Number
    return kind(op, tuple(from_json(arg) for arg in args))


def derivative(tree: Expr, name: str) -> Number:
    """The tree's derivative by one quantity: the branch that is taken counts, at a kink the first."""
    if tree.op == "quantity":
        return constant(int(tree.leaf == name))
    if tree.op == "const" or name not in _names(tree):
        return constant(0)
    if tree.op == "where":
        test, yes, no = tree.args
        return where(truth(test), derivative(yes, name), derivative(no, name))
    if tree.op in ("least", "greatest"):
        return _of_choice(tree, name)
    left, right = tree.args
    by_left, by_right = derivative(left, name), derivative(right, name)
    if tree.op == "mul":
        return _sum(_product(by_left, right), _product(left, by_right))
    return _sum(by_left, by_right) if tree.op == "add" else Number("sub", (by_left, by_right))


def _of_choice(tree: Expr, name: str) -> Number:
    """Of least and greatest: compare what is left with the first, and so on."""
    first, *rest = tree.args
    if not rest:
        return derivative(first, name)
    others = rest[0] if len(rest) == 1 else Number(tree.op, tuple(rest))
    test = Truth("le" if tree.op == "least" else "ge", (first, others))
    return where(test, derivative(first, name), derivative(others, name))


def _sum(left: Number, right: Number) -> Number:
    if left.op == "const" and left.leaf == "0":
        return right
    return left if right.op == "const" and right.leaf == "0" else Number("add", (left, right))


def _product(left: Expr, right: Expr) -> Number:
    if any(side.op == "const" and side.leaf == "0" for side in (left, right)):
        return constant(0)
    return Number("mul", (left, right))


def _names(tree: Expr) -> set[str]:
    return {tree.leaf} if tree.op == "quantity" else set().union(*(_names(arg) for arg in tree.args))


# ---- whole numbers -------------------------------------------------------------------------------------------
def _billionths(half_width: Decimal) -> int:
    """Rounded up, should anybody ever declare a tenth place."""
    return -int((-half_width * PLACES).to_integral_value(ROUND_FLOOR))


def _up(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _away(number: int, divisor: int) -> int:
    return _up(number, divisor) if number >= 0 else -_up(-number, divisor)


def _root_up(square: int) -> int:
    root = isqrt(square)
    return root if root * root == square else root + 1
