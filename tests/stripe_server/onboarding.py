"""Merchants' accounts and the links that complete them."""

from collections.abc import Mapping
from typing import Any

from tests.stripe_server.books import Books, Refusal

# where the service opens accounts of this kind; the mainland is not among them
COUNTRIES = frozenset({"HK", "SG", "JP", "AU", "GB", "US", "DE", "FR"})
EXPRESS = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "express"},
}


def account(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
    """An account that nothing can be paid to before its owner has completed it."""
    if params.get("country") not in COUNTRIES:
        raise Refusal("country_unsupported", f"{params.get('country')} is not currently supported by Stripe.")
    if "type" in params and "controller" in params:
        raise Refusal(
            "parameter_invalid", "You may not provide the `type` parameter and `controller` parameter."
        )
    if params.get("controller", EXPRESS) != EXPRESS:
        raise Refusal("parameter_invalid", "This Stripe has accounts with the Express dashboard only.")
    asked = params.get("capabilities", {})
    made = books.add(
        "account",
        "acct",
        capabilities={name: "inactive" for name, told in asked.items() if told.get("requested")},
        charges_enabled=False,
        controller={**EXPRESS, "type": "application", "is_controller": True},
        country=params["country"],
        default_currency="hkd",
        details_submitted=False,
        email=params.get("email"),
        metadata=params.get("metadata", {}),
        payouts_enabled=False,
        requirements={"currently_due": ["business_profile.url"], "disabled_reason": "requirements.past_due"},
        type="express",
    )
    books.tell("account.updated", made, made["id"])
    return made


def link(books: Books, params: Mapping[str, Any], *, account: str) -> Mapping[str, Any]:
    """A link that is good for five minutes."""
    books.of("account", params["account"], "account")
    if "return_url" not in params or "refresh_url" not in params:
        raise Refusal("parameter_missing", "An onboarding link needs return_url and refresh_url.", kept=False)
    made = books.add("account_link", "alnk", account=params["account"])
    return {
        "object": "account_link",
        "created": made["created"],
        "expires_at": books.now() + 300,
        "url": f"https://connect.stripe.test/setup/e/{params['account']}/{made['id']}",
    }
