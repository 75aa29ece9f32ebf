"""The application put together: database, doors, commands. What comes from outside is handed in by `wsgi.py`."""

from collections.abc import Callable, Iterable, Mapping

from flask import Flask

from carbon_credits import cli
from carbon_credits import tables as _tables  # noqa: F401 - a mapper may refer to any room's table
from carbon_credits.config import Settings, read_settings
from carbon_credits.core import clock, log
from carbon_credits.core.db import connect
from carbon_credits.core.messages import TextMessages
from carbon_credits.core.outbox import Handler
from carbon_credits.jobs import surroundings
from carbon_credits.jobs.deliveries import OWN_HANDLERS
from carbon_credits.jobs.surroundings import Console
from carbon_credits.partners.contract import Feed
from carbon_credits.partners.service import Register
from carbon_credits.residents import notices, otp
from carbon_credits.rewards.payment_contract import Ways

Sender = Callable[[Settings], TextMessages]
Payer = Callable[[Settings], Ways]


def create_app(
    settings: Settings | None = None,
    feeds: Iterable[Feed] = (),
    sender: Sender | None = None,
    payer: Payer | None = None,
    console: Console | None = None,
    *,
    doors: bool = True,
) -> Flask:
    """An application for these settings, or for those of the environment; raises WrongSettings.

    `feeds` are the partners it knows; `sender` makes the provider of text messages, without which codes wait in
    the outbox; `payer` makes the ways of paying merchants, without which nobody is paid; `console` gives it the
    staff's door and says which endpoints that has. Nothing is connected to before the first request. Without
    `doors` it answers none: workers and operators' commands start in half the time.
    """
    told = read_settings() if settings is None else settings
    log.configure()
    app = Flask("carbon_credits", static_folder=None, template_folder=None)
    connect(app, told.database_url, pool_size=told.web_threads)
    app.config[surroundings.SETTINGS] = told
    app.config[surroundings.FEEDS] = Register(feeds)
    app.config[surroundings.HANDLERS] = {**OWN_HANDLERS, **_texts(told, sender)}
    app.config[surroundings.WAYS] = Ways() if payer is None else payer(told)
    app.config[surroundings.CONSOLE] = console
    if doors:
        from carbon_credits.api import assembly  # noqa: PLC0415 - half the time a command takes to start

        assembly.register(app, told, console)
    cli.register(app)
    return app


def _texts(told: Settings, sender: Sender | None) -> Mapping[str, Handler]:
    """Who sends codes and notices; nobody where there is no provider."""
    if sender is None:
        return {}
    provider = sender(told)
    return {
        otp.TOPIC: otp.text_sender(told.vault, provider, clock.now),
        notices.TOPIC: notices.notice_sender(told.vault, provider, clock.now),
    }
