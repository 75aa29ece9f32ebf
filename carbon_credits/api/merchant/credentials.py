"""A merchant's clients: who is live, a second one to bring in a new secret, and an end to the old one."""

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.shapes import SCOPES, in_path
from carbon_credits.core import audit, clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import clients
from carbon_credits.rewards.clients import Scope

blueprint = Blueprint(
    "clients", __name__, who=Who.MERCHANT, description="凭证的轮换。\n\nClients and their rotation."
)


class LiveClient(Body):
    """A live client; its secret is kept nowhere."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    kind = Choice("system", "till", required=True)
    label = Words(1, 60, required=True, example="ERP")
    scopes = fields.List(Choice(*SCOPES), required=True)
    created_at = Instant(required=True)


class Clients(Body):
    """Every live client, the oldest first."""

    items = fields.List(fields.Nested(LiveClient), required=True)


class ClientWanted(Body):
    """POST /merchant/v1/clients. Without `scopes` it may do what the asking client may."""

    label = Line(1, 60, required=True, example="ERP")
    scopes = fields.List(Choice(*SCOPES))


class ClientMade(Body):
    """Shown this once."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    client_secret = Words(20, 200, required=True, example="…")


class ClientEnded(Body):
    """It is over."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    ended_at = Instant(required=True)


@blueprint.route("/merchant/v1/clients", methods=["GET"])
@blueprint.response(200, Clients)
def index() -> Response:
    """有效凭证 / Live clients"""
    with reading() as session:
        return answer(
            {
                "items": [
                    {
                        "client_id": client.client_id,
                        "kind": client.kind,
                        "label": client.label,
                        "scopes": list(client.scopes),
                        "created_at": client.created_at,
                    }
                    for client in clients.clients_of(session, principal().id)
                ]
            }
        )


@blueprint.route("/merchant/v1/clients", methods=["POST"])
@blueprint.arguments(ClientWanted, example={"label": "ERP", "scopes": ["settlements"]})
@blueprint.response(201, ClientMade)
@blueprint.refuses(409, 422)
def add(body: dict[str, Any]) -> Response:
    """新建系统凭证 / Make a client for a system

    最多两个有效系统凭证，便于轮换：新建、换用、停用旧的。密钥只显示这一次，服务器不保存，所以此操作没有
    Idempotency-Key：回答丢失时，停用那一个再新建。

    Two live systems at most, so that secrets rotate: make one, use it, end the old one. The secret is shown this once
    and kept nowhere, which is why there is no Idempotency-Key: if the answer is lost, end that client and make another.
    """
    asking, ours, now = principal(), house(), clock.now()
    scopes = frozenset(body.get("scopes") or asking.scopes)
    if not scopes <= asking.scopes:
        raise NotAllowed(
            "more_than_you_may",
            Text("不能授予自己没有的权限", "A client cannot give what it may not do itself"),
        )

    def work(session: Session) -> NewClient:
        made = clients.add_system(
            session, ours.vault, asking.id, body["label"], now, [Scope(name) for name in scopes]
        )
        told = {"client": made.client_id}
        audit.record(session, asking.actor, "client.added", f"merchant:{asking.id}", None, told)
        return made

    made = in_transaction(work)
    return answer({"client_id": made.client_id, "client_secret": made.client_secret}, 201)


@blueprint.route(
    "/merchant/v1/clients/<client>",
    methods=["DELETE"],
    parameters=in_path("client", "three-friends-0123456789"),
)
@blueprint.response(200, ClientEnded)
@blueprint.refuses(404)
def end(client: str) -> Response:
    """停用凭证或收银台 / End a client, a system's or a till's

    其令牌自下一次请求起失效。

    Its tokens are refused from the next request on.
    """
    asking, now = principal(), clock.now()

    def work(session: Session) -> Any:
        clients.end(session, asking.id, client, now)
        audit.record(session, asking.actor, "client.ended", f"client:{client}")
        return clients.client_of(session, asking.id, client).ended_at

    return answer({"client_id": client, "ended_at": in_transaction(work)})
