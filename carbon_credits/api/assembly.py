"""The door put together: frame, sign-in, errors, the routes of each audience and the documents they are in."""

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from carbon_credits.api import (
    access,
    auth,
    docs,
    documents,
    errors,
    frame,
    house,
    limits,
    oauth,
    pages,
    till,
    webhooks,
)
from carbon_credits.api.access import Who
from carbon_credits.api.answers import StrictJson
from carbon_credits.api.merchant import (
    account,
    applications,
    captures,
    credentials,
    hooks,
    notices,
    people,
    settlements,
    tills,
)
from carbon_credits.api.merchant import me as merchant_self
from carbon_credits.api.merchant import offers as merchant_offers
from carbon_credits.api.pages import partners_guide, statement_page
from carbon_credits.api.partner import feeds, files, outcomes, questions, reconciliations, records
from carbon_credits.api.public import coverage, keys, methodologies, probes, statuses
from carbon_credits.api.resident import (
    activities,
    campaigns,
    gifts,
    group_drives,
    groups,
    incentives,
    me,
    memberships,
    monthly,
    objections,
    offers,
    qr,
    receipts,
    redemptions,
    wallet,
)
from carbon_credits.api.resident import auth as sign_in
from carbon_credits.config import Settings
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import Console
from carbon_credits.programme.rate_card import RateCard

MOST_BYTES = 65_536
RESIDENT = Text("居民端接口。", "For residents' apps.")
PARTNER = Text("合作方接口。", "For partners' systems.")
MERCHANT = Text("商户端接口。", "For merchants' systems and tills.")
PUBLIC = Text("公开接口，无需登录。", "For anyone, without signing in.")
NAME = Text("禅城碳普惠", "Chancheng carbon rewards")

# what stands in which document, in this order; what speaks for two audiences is shown in the other's besides
DOORS: Final[Mapping[str, Sequence[documents.Blueprint]]] = {
    "resident": (
        sign_in.blueprint,
        me.blueprint,
        activities.blueprint,
        objections.blueprint,
        receipts.blueprint,
        wallet.blueprint,
        monthly.blueprint,
        offers.blueprint,
        redemptions.blueprint,
        qr.blueprint,
        gifts.blueprint,
        campaigns.blueprint,
        incentives.blueprint,
        groups.blueprint,
        memberships.blueprint,
        group_drives.blueprint,
    ),
    "partner": (
        oauth.blueprint,
        records.blueprint,
        files.blueprint,
        questions.blueprint,
        reconciliations.blueprint,
        outcomes.blueprint,
        feeds.blueprint,
    ),
    "merchant": (
        applications.blueprint,
        tills.newcomers,
        merchant_self.blueprint,
        account.blueprint,
        credentials.blueprint,
        people.blueprint,
        tills.blueprint,
        merchant_offers.blueprint,
        captures.blueprint,
        settlements.blueprint,
        hooks.blueprint,
    ),
    "public": (
        methodologies.blueprint,
        coverage.blueprint,
        keys.blueprint,
        statuses.blueprint,
        probes.blueprint,
    ),
}
# pages for people, and what providers call in a form of their own
UNDOCUMENTED: Final = (
    docs.blueprint,
    webhooks.blueprint,
    pages.blueprint,
    statement_page.blueprint,
    till.blueprint,
    partners_guide.blueprint,
)


def register(
    app: Flask, settings: Settings, console: Console | None = None, others: Mapping[str, Who] | None = None
) -> None:
    """Give the application its JSON door, and beside it the console's, which guards its own endpoints. `others` is
    who may call routes that were there before.

    Raises RouteWithoutRule when a route has no row in the table of who may call it.
    """
    _configure(app, settings)
    frame.register(app, https=settings.public_url.startswith("https://"))
    auth.register(app)
    errors.register(app)
    _routes(app)
    staff = frozenset() if console is None else console(app, settings)
    house.install(app, _house(app, settings, {**dict.fromkeys(staff, Who.STAFF), **(others or {})}))


def _configure(app: Flask, settings: Settings) -> None:
    app.json = StrictJson(app)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts) or None
    # an address has one spelling: no redirect, which clients would follow with a changed method
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    if settings.proxies:
        many = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=many, x_proto=many, x_host=many)  # type: ignore[method-assign]


def _routes(app: Flask) -> None:
    told = {
        "resident": documents.make(app, "resident", _title(RESIDENT), RESIDENT, (Who.RESIDENT,)),
        "partner": documents.make(app, "partner", _title(PARTNER), PARTNER, (Who.PARTNER, Who.FEED)),
        "merchant": documents.make(
            app, "merchant", _title(MERCHANT), MERCHANT, (Who.MERCHANT,), webhooks=notices.webhooks()
        ),
        "public": documents.make(app, "public", _title(PUBLIC), PUBLIC, ()),
    }
    for name, blueprints in DOORS.items():
        for blueprint in blueprints:
            told[name].register_blueprint(blueprint)
    told["merchant"].show(oauth.blueprint)
    documents.serve(app, told)
    for page in UNDOCUMENTED:
        app.register_blueprint(page)


def _title(words: Text) -> Text:
    return Text(f"{NAME.zh}：{words.zh.rstrip('。')}", f"{NAME.en}: {words.en.rstrip('.').lower()}")


def _house(app: Flask, settings: Settings, others: Mapping[str, Who]) -> house.House:
    times = limits.DEMONSTRATION if settings.is_demo else 1
    redis = doorbell.connect(settings.redis_url)
    return house.House(
        settings=settings,
        keyring=Keyring(settings.vault, settings.public_url),
        rates=RateCard(),
        limiter=limits.Limiter({policy: most * times for policy, most in limits.PER_MINUTE.items()}),
        redis=redis,
        ringer=doorbell.Ringer(redis),
        access=access.check(app, others),
    )
