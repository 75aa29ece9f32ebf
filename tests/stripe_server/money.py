"""Money: transfers and their reversals, payouts, sponsors' payments and refunds, each with its line in a balance."""

from collections.abc import Mapping
from typing import Any

from tests.stripe_server.books import Books, Refusal, shown

Params = Mapping[str, Any]
MOST = 99_999_999_99


def transfer(books: Books, params: Params, *, account: str) -> Mapping[str, Any]:
    """From the platform's available balance to an account."""
    amount, currency = _amount(params), params["currency"]
    to = books.of("account", params["destination"], "destination")
    if to["capabilities"].get("transfers") != "active":
        raise Refusal(
            "insufficient_capabilities_for_transfer",
            "Your destination account needs the transfers capability.",
        )
    if books.balance(currency=currency) < amount:
        raise Refusal("balance_insufficient", "You have insufficient available funds in your Stripe account.")
    made = books.add(
        "transfer",
        "tr",
        amount=amount,
        amount_reversed=0,
        currency=currency,
        description=params.get("description"),
        destination=to["id"],
        metadata=params.get("metadata", {}),
        reversed=False,
        source_transaction=None,
        source_type="card",
        transfer_group=params.get("transfer_group"),
    )
    made["balance_transaction"] = books.book("transfer", -amount, made["id"], currency=currency)
    books.book("payment", amount, made["id"], account=to["id"], currency=currency)
    books.tell("transfer.created", made)
    return made


def reverse(books: Books, params: Params, reference: str, *, account: str) -> Mapping[str, Any]:
    """Back from the account, as long as it has the money."""
    of = books.of("transfer", reference)
    left = of["amount"] - of["amount_reversed"]
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise Refusal(
            "parameter_invalid_integer", f"The transfer has {left} left to reverse.", param="amount"
        )
    if books.balance(of["destination"], currency=of["currency"]) < amount:
        raise Refusal("balance_insufficient", "The account does not have the funds to reverse this transfer.")
    made = books.add(
        "transfer_reversal",
        "trr",
        amount=amount,
        currency=of["currency"],
        metadata=params.get("metadata", {}),
        transfer=reference,
    )
    made["balance_transaction"] = books.book("transfer_refund", amount, made["id"], currency=of["currency"])
    books.book("payment_refund", -amount, made["id"], account=of["destination"], currency=of["currency"])
    of["amount_reversed"] += amount
    of["reversed"] = of["amount_reversed"] == of["amount"]
    books.tell("transfer.reversed", of)
    return made


def payout(books: Books, params: Params, *, account: str) -> Mapping[str, Any]:
    """From a balance to the bank behind it; it arrives later."""
    amount = _amount(params)
    if books.balance(account, currency=params["currency"]) < amount:
        raise Refusal("balance_insufficient", "You have insufficient funds for this payout.")
    made = books.add(
        "payout",
        "po",
        amount=amount,
        arrival_date=books.now() + 86_400,
        automatic=False,
        currency=params["currency"],
        failure_code=None,
        metadata=params.get("metadata", {}),
        method="standard",
        status="pending",
        _account=account,
    )
    line = books.book("payout", -amount, made["id"], account=account, currency=params["currency"])
    made["balance_transaction"] = line
    books.tell("payout.created", made, account or None)
    return made


def intent(books: Books, params: Params, *, account: str) -> Mapping[str, Any]:
    """A payment that waits for a means of paying."""
    if params.get("confirm") or "payment_method" in params:
        raise Refusal("parameter_invalid", "This Stripe confirms payments on the sponsor's page only.")
    made = _intent(books, _amount(params), params["currency"], params)
    books.tell("payment_intent.created", made)
    return expanded(books, made, params)


def cancel(books: Books, params: Params, reference: str, *, account: str) -> Mapping[str, Any]:
    """End a payment that has not been made."""
    of = books.of("payment_intent", reference)
    if of["status"] in ("succeeded", "canceled"):
        raise Refusal(
            "payment_intent_unexpected_state", f"You cannot cancel a payment that is {of['status']}."
        )
    of.update(status="canceled", canceled_at=books.now())
    books.tell("payment_intent.canceled", of)
    return of


def checkout(books: Books, params: Params, *, account: str) -> Mapping[str, Any]:
    """A page to pay on, for a day; the payment behind it is made when somebody pays."""
    if params.get("mode") != "payment" or "success_url" not in params:
        raise Refusal(
            "parameter_missing", "This Stripe has pages in payment mode with a success_url.", kept=False
        )
    total = 0
    currency = "cny"
    for item in params.get("line_items", ()):
        price = item["price_data"]
        total += price["unit_amount"] * item.get("quantity", 1)
        currency = price["currency"]
        if "product_data" not in price and "product" not in price:
            raise Refusal("parameter_missing", "A price needs its product.", kept=False)
    if not 0 < total <= MOST:
        raise Refusal("amount_too_small", "The page has nothing to pay.", kept=False)
    made = books.add(
        "checkout.session",
        "cs_test",
        amount_total=total,
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        expires_at=params.get("expires_at", books.now() + 86_400),
        metadata=params.get("metadata", {}),
        mode="payment",
        payment_intent=None,
        payment_status="unpaid",
        status="open",
        success_url=params["success_url"],
        url=None,
        _intent=params.get("payment_intent_data", {}),
    )
    made["url"] = f"https://checkout.stripe.test/c/pay/{made['id']}"
    return expanded(books, made, params)


def expire(books: Books, params: Params, reference: str, *, account: str) -> Mapping[str, Any]:
    """Close a page."""
    of = books.of("checkout.session", reference)
    if of["status"] != "open":
        raise Refusal("resource_already_exists", f"Only open pages can be expired; this is {of['status']}.")
    of.update(status="expired", url=None)
    books.tell("checkout.session.expired", of)
    return of


def refund(books: Books, params: Params, *, account: str) -> Mapping[str, Any]:
    """Give back some of a payment, out of the platform's balance."""
    of = books.of("payment_intent", params.get("payment_intent", ""), "payment_intent")
    if of["status"] != "succeeded":
        raise Refusal("payment_intent_unexpected_state", "This payment has nothing to give back.")
    charge = books.of("charge", of["latest_charge"])
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if left == 0:
        raise Refusal("charge_already_refunded", "The charge has already been refunded.")
    if not 0 < amount <= left:
        raise Refusal("parameter_invalid_integer", f"The charge has {left} left to refund.", param="amount")
    if books.balance() + books.balance(pending=True) < amount:
        raise Refusal("insufficient_funds", "Your balance cannot cover this refund.")
    made = books.add(
        "refund",
        "re",
        amount=amount,
        charge=charge["id"],
        currency=of["currency"],
        failure_reason=None,
        metadata=params.get("metadata", {}),
        payment_intent=of["id"],
        status="pending" if charge["_slow"] else "succeeded",
    )
    made["balance_transaction"] = books.book("refund", -amount, made["id"], currency=of["currency"])
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    books.tell("refund.created", made)
    books.tell("charge.refunded", charge)
    return made


def charge_for(books: Books, of: dict[str, Any], fee: int, *, slow: bool) -> dict[str, Any]:
    """The money of a payment arrives, first as pending."""
    made = books.add(
        "charge",
        "ch",
        amount=of["amount"],
        amount_refunded=0,
        currency=of["currency"],
        metadata=of["metadata"],
        paid=True,
        payment_intent=of["id"],
        refunded=False,
        status="succeeded",
        _slow=slow,
    )
    made["balance_transaction"] = books.book(
        "charge", of["amount"], made["id"], fee=fee, pending=True, currency=of["currency"]
    )
    of.update(
        status="succeeded", amount_received=of["amount"], latest_charge=made["id"], last_payment_error=None
    )
    books.tell("charge.succeeded", made)
    books.tell("payment_intent.succeeded", of)
    return made


def intent_of_page(books: Books, of: dict[str, Any]) -> dict[str, Any]:
    """The payment behind a page, made when it is first needed."""
    if of["payment_intent"] is None:
        made = _intent(books, of["amount_total"], of["currency"], of["_intent"])
        books.tell("payment_intent.created", made)
        of["payment_intent"] = made["id"]
    return books.of("payment_intent", of["payment_intent"])


def expanded(books: Books, told: Mapping[str, Any], params: Params) -> Mapping[str, Any]:
    """An object with other objects in place of their ids, where it was asked for."""
    made = dict(shown(told))
    for path in params.get("expand", ()):
        at: Any = made
        for step in path.split("."):
            if step not in at:
                raise Refusal(None, f"This property cannot be expanded ({path}).", kept=False)
            if isinstance(at[step], str):
                at[step] = dict(shown(books.objects[at[step]]))
            at = at[step]
            if at is None:
                break
    return made


def _intent(books: Books, amount: int, currency: str, params: Params) -> dict[str, Any]:
    made = books.add(
        "payment_intent",
        "pi",
        amount=amount,
        amount_received=0,
        canceled_at=None,
        currency=currency,
        description=params.get("description"),
        last_payment_error=None,
        latest_charge=None,
        metadata=params.get("metadata", {}),
        status="requires_payment_method",
    )
    made["client_secret"] = f"{made['id']}_secret_{made['id'][-6:]}"
    return made


def _amount(params: Params) -> int:
    amount = params.get("amount", 0)
    if not 0 < amount <= MOST:
        raise Refusal("parameter_invalid_integer", "Invalid positive integer", param="amount", kept=False)
    return int(amount)
