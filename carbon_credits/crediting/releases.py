"""The catalogue's releases as rows, so that a decision can name the formula it used by number."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.releases import Release, releases

PUBLISH = text("""
insert into formula_release
  (methodology, code, version, in_force, digest, formula_digest, parameters_digest, document)
values (:methodology, :code, :version, :in_force, :digest, :formula_digest, :parameters_digest, :document)
on conflict (digest) do nothing
""")


def all_releases() -> list[Release]:
    """Every release of every methodology in the catalogue."""
    return [release for methodology in METHODOLOGIES for release in releases(methodology)]


def publish(session: Session) -> Mapping[str, int]:
    """Write the releases that are not there yet; returns the number of each by digest. Safe to repeat."""
    found = release_numbers(session)
    if set(found) < {release.digest for release in all_releases()}:
        session.execute(PUBLISH, [_row(release) for release in all_releases()])
        found = release_numbers(session)
    return found


def publish_these(session: Session, wanted: Sequence[Release]) -> Mapping[str, int]:
    """Write releases of no catalogue, of a version as it reaches back; the number of each by digest. Safe to repeat."""
    session.execute(PUBLISH, [_row(release) for release in wanted])
    return _numbers_of(session, wanted)


def release_numbers(session: Session) -> dict[str, int]:
    """Release numbers by digest, of the releases this programme's catalogue knows."""
    return _numbers_of(session, all_releases())


def _numbers_of(session: Session, releases: Iterable[Release]) -> dict[str, int]:
    known = {bytes_of(release.digest): release.digest for release in releases}
    rows = session.execute(text("select digest, release_id from formula_release"))
    return {known[bytes(digest)]: number for digest, number in rows if bytes(digest) in known}


def document_of(session: Session, release_id: int) -> bytes:
    """The canonical bytes of a release, from which anybody can recompute."""
    found = session.execute(
        text("select document from formula_release where release_id = :release"), {"release": release_id}
    ).scalar_one()
    return bytes(found)


def bytes_of(digest: str) -> bytes:
    """The 32 bytes of `sha256:<hex>`."""
    return bytes.fromhex(digest.removeprefix("sha256:"))


def _row(release: Release) -> dict[str, object]:
    return {
        "methodology": release.number,
        "code": release.methodology,
        "version": release.version,
        "in_force": release.since,
        "digest": bytes_of(release.digest),
        "formula_digest": bytes_of(release.formula_digest),
        "parameters_digest": bytes_of(release.parameters_digest),
        "document": release.document,
    }
