"""What happens on Stripe's own pages and at banks: merchants show papers, sponsors pay or do not, payouts arrive."""

from typing import Any, Literal

from tests.stripe_server import money
from tests.stripe_server.books import OURS, Books

# what a card that says no is called
DECLINED = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}


class People:
    """Everybody but the programme."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def complete(self, account: str) -> None:
        """A merchant has shown its papers."""
        with self.books.lock:
            of = self.books.of("account", account)
            of.update(details_submitted=True, payouts_enabled=True, charges_enabled=True)
            of["capabilities"]["transfers"] = "active"
            of["requirements"] = {"currently_due": [], "disabled_reason": None}
            self.books.tell("account.updated", of, account)
            self.books.save()

    def lose_papers(self, account: str) -> None:
        """Stripe asks a merchant for more papers, and nothing can be paid to it until then."""
        with self.books.lock:
            of = self.books.of("account", account)
            of["capabilities"]["transfers"] = "inactive"
            of["requirements"] = {
                "currently_due": ["individual.id_number"],
                "disabled_reason": "requirements.past_due",
            }
            self.books.tell("account.updated", of, account)
            self.books.save()

    def dispute(self, reference: str, *, fee: int = 0) -> str:
        """A sponsor's bank takes a payment back; returns the dispute."""
        with self.books.lock:
            of = self._payment(reference)
            charge = self.books.of("charge", of["latest_charge"])
            made = self.books.add(
                "dispute", "dp", amount=charge["amount"], charge=charge["id"], status="needs_response"
            )
            self.books.book("adjustment", -charge["amount"], made["id"], fee=fee)
            self.books.tell("charge.dispute.created", made)
            self.books.save()
            return str(made["id"])

    def top_up(self, amount: int) -> None:
        """The programme's bank sends money."""
        with self.books.lock:
            made = self.books.add("topup", "tu", amount=amount, currency="cny", status="succeeded")
            self.books.book("topup", amount, made["id"])
            self.books.tell("topup.succeeded", made)
            self.books.save()

    def pay(self, reference: str, *, fee: int = 0, takes_days: bool = False) -> None:
        """A sponsor pays on the page or for the payment; by some means the money comes days after the page is done."""
        with self.books.lock:
            of = self._payment(reference)
            page = self._page(reference)
            if page is not None:
                page.update(status="complete", url=None)
                if takes_days:
                    of["status"] = "processing"
                    self.books.tell("checkout.session.completed", page)
                    self.books.save()
                    return
            money.charge_for(self.books, of, fee, slow=takes_days)
            if page is not None:
                page["payment_status"] = "paid"
                self.books.tell("checkout.session.completed", page)
            self.books.save()

    def money_comes(self, reference: str, *, fee: int = 0, arrives: bool = True) -> None:
        """Days later, what was begun on a page ends well or not."""
        with self.books.lock:
            page = self.books.of("checkout.session", reference)
            of = self._payment(reference)
            if arrives:
                money.charge_for(self.books, of, fee, slow=True)
                page["payment_status"] = "paid"
                self.books.tell("checkout.session.async_payment_succeeded", page)
            else:
                of.update(status="requires_payment_method", last_payment_error=dict(DECLINED))
                self.books.tell("payment_intent.payment_failed", of)
                self.books.tell("checkout.session.async_payment_failed", page)
            self.books.save()

    def decline(self, reference: str) -> None:
        """A sponsor's card says no; another may be tried."""
        with self.books.lock:
            of = self._payment(reference)
            of["last_payment_error"] = dict(DECLINED)
            self.books.tell("payment_intent.payment_failed", of)
            self.books.save()

    def let_pass(self, reference: str) -> None:
        """Nobody pays on a page in its day."""
        with self.books.lock:
            of = self.books.of("checkout.session", reference)
            of.update(status="expired", url=None)
            self.books.tell("checkout.session.expired", of)
            self.books.save()

    def settle_charges(self) -> None:
        """What was pending can be used."""
        with self.books.lock:
            for line in self.books.lines:
                line["status"] = "available"
            self.books.save()

    def end_refund(self, reference: str, status: Literal["succeeded", "failed"]) -> None:
        """A refund that takes days arrives, or comes back."""
        with self.books.lock:
            of = self.books.of("refund", reference)
            of["status"] = status
            if status == "failed":
                of["failure_reason"] = "expired_or_canceled_card"
                self.books.book("refund_failure", of["amount"], of["id"])
                charge = self.books.of("charge", of["charge"])
                charge["amount_refunded"] -= of["amount"]
                charge["refunded"] = False
            self.books.tell("refund.failed" if status == "failed" else "refund.updated", of)
            self.books.save()

    def pay_out(self, account: str = OURS) -> str:
        """A balance goes to the bank behind it; returns the payout."""
        with self.books.lock:
            amount = self.books.balance(account)
            made = money.payout(self.books, {"amount": amount, "currency": "cny"}, account=account)
            self.books.save()
            return str(made["id"])

    def payout_arrives(self, reference: str, *, fails: str | None = None) -> None:
        """A bank takes a payout, or returns it."""
        with self.books.lock:
            of = self.books.of("payout", reference)
            account = of["_account"]
            of.update(status="failed" if fails else "paid", failure_code=fails)
            if fails:
                self.books.book("payout_failure", of["amount"], reference, account=account)
            self.books.tell("payout.failed" if fails else "payout.paid", of, account or None)
            self.books.save()

    def _payment(self, reference: str) -> dict[str, Any]:
        page = self._page(reference)
        return money.intent_of_page(self.books, page) if page else self.books.of("payment_intent", reference)

    def _page(self, reference: str) -> dict[str, Any] | None:
        return self.books.of("checkout.session", reference) if reference.startswith("cs_") else None
