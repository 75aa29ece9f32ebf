"""A person's word on a file that was put aside: looked at again, let through in spite of its figures, or refused.

Each with a reason, which the audit keeps; only what control figures contradict can be overlooked.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.partners import progress


def release(session: Session, file_id: int, by: str, reason: str, *, waive: bool) -> None:
    """Look at a quarantined file again, `waive` what it was put aside for. The caller rings for it afterwards.

    Raises NotFound, Conflict when it is not in quarantine (any more), Invalid for what cannot be overlooked.
    """
    was = (progress.file_of(session, file_id).fault or {}).get("code")
    progress.release(session, file_id, waive=waive)
    audit.record(
        session, by, "file.released", f"file:{file_id}", {"fault": was}, {"waive": waive}, reason=reason
    )


def refuse(session: Session, file_id: int, by: str, reason: str, now: datetime) -> None:
    """Refuse a quarantined file for good; its number may come again. Raises NotFound or Conflict."""
    was = (progress.file_of(session, file_id).fault or {}).get("code")
    progress.refuse(session, file_id, now)
    audit.record(session, by, "file.refused", f"file:{file_id}", {"fault": was}, reason=reason)
