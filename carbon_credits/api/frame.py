"""What surrounds every request: its id, its line in the log, its count and time, the headers of every answer."""

import re
import secrets
import time
from typing import Final

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

from carbon_credits.core.log import PHONE_LIKE

SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
# no digits, so that an id never looks like a telephone number to the log's guard
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
CSP: Final = "default-src 'none'; frame-ancestors 'none'"
HSTS: Final = "max-age=63072000; includeSubDomains"

REQUESTS = Counter(
    "http_requests_total", "Answers by route, method and status", ("route", "method", "status")
)
SECONDS = Histogram(
    "http_request_seconds",
    "Time from the first line of a request to its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
log = structlog.stdlib.get_logger("carbon_credits.access")


def register(app: Flask, *, https: bool) -> None:
    """Wire the frame; it runs before anything that could refuse a request."""
    app.before_request(_open)

    @app.after_request
    def close(response: Response) -> Response:
        _head(response, https)
        _tell(response)
        return response


def _open() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    sane = SANE_ID.fullmatch(given) is not None and PHONE_LIKE.search(given) is None
    g.request_id = given if sane else "".join(secrets.choice(LETTERS) for _ in range(20))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _head(response: Response, https: bool) -> None:
    headers = response.headers
    headers["X-Request-Id"] = g.get("request_id", "")
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("Cache-Control", "no-store")
    if https:
        headers["Strict-Transport-Security"] = HSTS
    for name, value in g.get("rate_headers", ()):
        headers[name] = value


def _tell(response: Response) -> None:
    """One line for one request: the route, never the address as typed, which may hold anything."""
    route = request.endpoint or "none"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    method = request.method if request.endpoint else "other"
    REQUESTS.labels(route, method, response.status_code).inc()
    SECONDS.labels(route).observe(seconds)
    log.info(
        "answered",
        route=route,
        method=method,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        problem=g.get("problem"),
    )
