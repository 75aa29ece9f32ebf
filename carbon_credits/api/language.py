"""Which of the two languages a reader asked for."""

from flask import g, request

from carbon_credits.core.i18n import Language


def language() -> Language:
    """What Accept-Language prefers; without it the resident's own, or Chinese. Worked out once for a request."""
    known: Language | None = g.get("language")
    if known is None:
        known = g.language = _asked_for()
    return known


def _asked_for() -> Language:
    if "Accept-Language" not in request.headers:
        return "en" if getattr(g.get("principal"), "language", None) == "en" else "zh"
    for tag, quality in request.accept_languages:
        primary = tag.lower().partition("-")[0]
        if quality > 0 and primary in {"zh", "en"}:
            return "en" if primary == "en" else "zh"
    return "zh"
