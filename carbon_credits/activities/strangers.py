"""Rows of people who never bound an account here: known by their token alone, counted, and dropped unread.

A metro operator tells of everybody who passed its gates. Nothing is kept of those who did not agree: their rows are left
out while a file is unpacked, before its feed reads it. The others are dealt by whose they are into parts, which a feed
may read beside one another, for what it joins is one person's.
"""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from carbon_credits.activities.files import Opened
from carbon_credits.core.crypto import Vault
from carbon_credits.partners.contract import Feed
from carbon_credits.partners.dealing import NOBODY, Ours
from carbon_credits.partners.models import PartnerFile, Source
from carbon_credits.residents.bindings import bound_since, subject_indexer

# Into how many parts a file is dealt at least, so that a small one has several processors; and beyond that into one more
# for each so many rows of the whole, for a feed holds what it joins of a part in memory.
FEWEST_PARTS: Final = 4
ROWS_OF_A_PART: Final = 250_000
# each is an open file while the whole is dealt; parts of more than 50 million rows, some 4 GB, are larger again
MOST_PARTS: Final = 200
_REMEMBERED: Final = 500_000


class _Known(dict[str, int]):
    """The part of the one whom a partner's token means, where that is somebody bound; asked once for each of the tokens
    met lately.
    """

    def __init__(self, vault: Vault, partner: str, bound: frozenset[bytes], parts: int) -> None:
        super().__init__()
        self._index, self._bound, self._parts = subject_indexer(vault, partner), bound, parts

    def __missing__(self, token: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        subject = self._index(token)
        known = self[token] = int.from_bytes(subject[:4]) % self._parts if subject in self._bound else NOBODY
        return known


def parts_of(feed: Feed, rows: int) -> int:
    """Into how many parts a file of so many rows is dealt: one where nobody is left out.

    By what its manifest says, so that whoever goes on after a kill finds the items in the same order.
    """
    if not feed.tells_of_all_by:
        return 1
    return min(max(FEWEST_PARTS, -(-rows // ROWS_OF_A_PART)), MOST_PARTS)


def ours(feed: Feed, vault: Vault, opened: Opened, row: PartnerFile, parts: int) -> Ours | None:
    """Which rows of a file are of somebody bound; None for a feed that tells of nobody else.

    Who was bound when an earlier version of the file came still counts for a later one: their records must not look as
    if the partner had taken them back.
    """
    if not feed.tells_of_all_by:
        return None
    bound = opened(lambda session: _bound(session, row))
    return Ours(feed.tells_of_all_by, _Known(vault, feed.partner, bound, parts))


def _bound(session: Session, row: PartnerFile) -> frozenset[bytes]:
    partner_id = session.execute(
        select(Source.partner_id).where(Source.source_id == row.source_id)
    ).scalar_one()
    first_came = session.execute(
        select(func.min(PartnerFile.received_at)).where(
            PartnerFile.source_id == row.source_id, PartnerFile.seq == row.seq
        )
    ).scalar_one()
    return bound_since(session, partner_id or 0, first_came)
