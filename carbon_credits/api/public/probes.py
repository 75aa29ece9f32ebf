"""Alive, ready, measured. Alive asks nothing of anybody: a database that hiccups must not restart every worker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import carbon_credits
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.errors import COME_BACK_S
from carbon_credits.api.house import house
from carbon_credits.api.problems import Problem
from carbon_credits.api.public.gauges import figures
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text

MIGRATIONS: Final = Path(carbon_credits.__file__).parents[1] / "migrations" / "versions"
# revision ids are the files' names and are numbered, so the last by name is the newest
NEWEST: Final = max((path.stem for path in MIGRATIONS.glob("[0-9]*.py")), default="")

blueprint = Blueprint("probes", __name__, who=Who.ANYONE, description="运行状态。\n\nHow we are.")

WORDS: Final = {"type": "string"}


def _states(*words: str) -> Mapping[str, Any]:
    status = {
        "type": "object",
        "required": ["status"],
        "additionalProperties": False,
        "properties": {"status": {"type": "string", "enum": list(words)}},
    }
    return {"200": {"description": "状态 / status", "content": {"application/json": {"schema": status}}}}


@blueprint.route("/healthz", methods=["GET"])
@blueprint.doc(responses=_states("alive"))
def alive() -> Response:
    """进程是否存活 / Alive, whatever else is away"""
    return answer({"status": "alive"})


@blueprint.route("/readyz", methods=["GET"])
@blueprint.doc(responses=_states("ready", "degraded"))
def ready() -> Response:
    """能否服务 / Ready to serve

    需要数据库及其最新结构；缓存不可用时为 degraded，不影响受理。

    Needs the database with its newest migration. Without the cache it is `degraded`: acts are still accepted.
    """
    try:
        with reading() as session:
            found = session.execute(text("select version_num from alembic_version")).scalar()
    except (DBAPIError, PoolTimeout) as error:
        raise _not_ready(Text("数据库不可用", "The database is away")) from error
    if found != NEWEST:
        raise _not_ready(Text("数据库结构不是最新", "The database is not migrated"))
    return answer({"status": "ready" if _doorbell_answers() else "degraded"})


@blueprint.route("/metrics", methods=["GET"])
@blueprint.doc(responses={"200": {"description": "Prometheus", "content": {"text/plain": {"schema": WORDS}}}})
@blueprint.refuses(404)
def metrics() -> Response:
    """指标，仅限本机 / Metrics, for this machine alone"""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)
    except ValueError:
        # one process and no folder to share: its own figures are all there are
        registry = REGISTRY
    return Response(generate_latest(registry) + figures(), content_type=CONTENT_TYPE_LATEST)


def _doorbell_answers() -> bool:
    try:
        return bool(house().redis.ping())
    except RedisError:
        return False


def _not_ready(detail: Text) -> Problem:
    return Problem("not_ready", detail, headers={"Retry-After": COME_BACK_S})
