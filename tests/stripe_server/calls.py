"""The calls this Stripe takes: for each its address, the client's type of its parameters, and what it does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.stripe_server import money, onboarding
from tests.stripe_server.books import Books, Refusal, page, shown


@dataclass(frozen=True)
class Call:
    """One call: `does(books, params, *ids, account=…)` answers with an object."""

    method: str
    address: re.Pattern[str]
    params: Any
    does: Callable[..., Mapping[str, Any]]


def _type(module: str, name: str) -> Any:
    """The client's own type; loaded by name, since the package hands them out only to type checkers."""
    return getattr(import_module(f"stripe.params.{module}"), name)


def _call(method: str, address: str, module: str, name: str, does: Callable[..., Mapping[str, Any]]) -> Call:
    pattern = re.compile(re.sub(r"\{\w+\}", r"([A-Za-z0-9_]+)", address))
    return Call(method, pattern, _type(module, name), does)


def _show(kind: str) -> Callable[..., Mapping[str, Any]]:
    def show(books: Books, params: Mapping[str, Any], reference: str, *, account: str) -> Mapping[str, Any]:
        found = books.of(kind, reference)
        if found.get("_account", account) != account:
            raise Refusal("resource_missing", f"No such {kind}: '{reference}'", status=404, kept=False)
        return money.expanded(books, found, params)

    return show


def _list(kind: str, url: str, *names: str) -> Callable[..., Mapping[str, Any]]:
    def index(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
        wanted = {name: params[name] for name in names if name in params}
        return page(books.all_of(kind, **wanted), url, params)

    return index


def _lines(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
    wanted = {name: params[name] for name in ("currency", "source", "type") if name in params}
    rows = [
        line
        for line in reversed(books.lines)
        if line["_account"] == account and all(line[name] == value for name, value in wanted.items())
    ]
    told = page(rows, "/v1/balance_transactions", params)
    if "data.source" in params.get("expand", ()):
        for line in told["data"]:
            line["source"] = shown(books.objects[line["source"]])
    return told


def _payouts(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
    return page(books.all_of("payout", _account=account), "/v1/payouts", params)


def _balance(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
    def amount(*, pending: bool) -> list[dict[str, Any]]:
        return [{"amount": books.balance(account, pending=pending), "currency": "cny", "source_types": {}}]

    return {
        "object": "balance",
        "livemode": False,
        "available": amount(pending=False),
        "pending": amount(pending=True),
    }


def _event(books: Books, params: Mapping[str, Any], reference: str, *, account: str) -> Mapping[str, Any]:
    for event in books.events:
        if event["id"] == reference:
            return event
    raise Refusal("resource_missing", f"No such event: '{reference}'", status=404, kept=False)


CALLS: tuple[Call, ...] = (
    _call("POST", "/v1/accounts", "_account_create_params", "AccountCreateParams", onboarding.account),
    _call("GET", "/v1/accounts/{id}", "_account_retrieve_params", "AccountRetrieveParams", _show("account")),
    _call(
        "POST",
        "/v1/account_links",
        "_account_link_create_params",
        "AccountLinkCreateParams",
        onboarding.link,
    ),
    _call("POST", "/v1/transfers", "_transfer_create_params", "TransferCreateParams", money.transfer),
    _call(
        "GET",
        "/v1/transfers",
        "_transfer_list_params",
        "TransferListParams",
        _list("transfer", "/v1/transfers", "transfer_group", "destination"),
    ),
    _call(
        "GET", "/v1/transfers/{id}", "_transfer_retrieve_params", "TransferRetrieveParams", _show("transfer")
    ),
    _call(
        "POST",
        "/v1/transfers/{id}/reversals",
        "_transfer_reversal_create_params",
        "TransferReversalCreateParams",
        money.reverse,
    ),
    _call("POST", "/v1/payouts", "_payout_create_params", "PayoutCreateParams", money.payout),
    _call("GET", "/v1/payouts", "_payout_list_params", "PayoutListParams", _payouts),
    _call("GET", "/v1/payouts/{id}", "_payout_retrieve_params", "PayoutRetrieveParams", _show("payout")),
    _call(
        "GET",
        "/v1/balance_transactions",
        "_balance_transaction_list_params",
        "BalanceTransactionListParams",
        _lines,
    ),
    _call("GET", "/v1/balance", "_balance_retrieve_params", "BalanceRetrieveParams", _balance),
    _call(
        "POST",
        "/v1/checkout/sessions",
        "checkout._session_create_params",
        "SessionCreateParams",
        money.checkout,
    ),
    _call(
        "GET",
        "/v1/checkout/sessions/{id}",
        "checkout._session_retrieve_params",
        "SessionRetrieveParams",
        _show("checkout.session"),
    ),
    _call(
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        "checkout._session_expire_params",
        "SessionExpireParams",
        money.expire,
    ),
    _call(
        "POST",
        "/v1/payment_intents",
        "_payment_intent_create_params",
        "PaymentIntentCreateParams",
        money.intent,
    ),
    _call(
        "GET",
        "/v1/payment_intents/{id}",
        "_payment_intent_retrieve_params",
        "PaymentIntentRetrieveParams",
        _show("payment_intent"),
    ),
    _call(
        "POST",
        "/v1/payment_intents/{id}/cancel",
        "_payment_intent_cancel_params",
        "PaymentIntentCancelParams",
        money.cancel,
    ),
    _call("POST", "/v1/refunds", "_refund_create_params", "RefundCreateParams", money.refund),
    _call(
        "GET",
        "/v1/refunds",
        "_refund_list_params",
        "RefundListParams",
        _list("refund", "/v1/refunds", "payment_intent", "charge"),
    ),
    _call("GET", "/v1/refunds/{id}", "_refund_retrieve_params", "RefundRetrieveParams", _show("refund")),
    _call("GET", "/v1/events/{id}", "_event_retrieve_params", "EventRetrieveParams", _event),
)


def find(method: str, address: str) -> tuple[Call, tuple[str, ...]]:
    """The call for an address. Raises Refusal for one that this Stripe does not have."""
    for call in CALLS:
        if call.method == method and (fits := call.address.fullmatch(address)):
            return call, fits.groups()
    raise Refusal(None, f"Unrecognized request URL ({method}: {address}).", status=404, kept=False)
