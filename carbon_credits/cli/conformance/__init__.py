"""`flask partners conformance`: what a new partner runs against its own feed, or against ours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from carbon_credits.cli.conformance import files, gbfs, mds, ocpi, ours
from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import MOST_BYTES, Fetcher, FetchFault
from carbon_credits.cli.saying import plainly
from carbon_credits.jobs.surroundings import feeds

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# which of our readers looks at what is pulled, unless another is named
READERS: Final = {"mds": "bike_share_mds", "ocpi": "ev_charging"}


@dataclass(frozen=True)
class Asked:
    """What the command was told beside the address."""

    headers: Path | None
    feed: str | None
    client_id: str | None
    client_secret: Path | None
    subject: str | None
    signing_key: Path | None
    first_seq: int
    within_s: float
    most_bytes: int


@click.command("conformance")
@click.argument("url")
@click.option(
    "--kind", type=click.Choice(["mds", "gbfs", "ocpi", "ours"]), required=True, help="what answers there"
)
@click.option("--headers", type=FILE, help="a file of header lines to send (tokens), Name: value")
@click.option("--feed", help="the feed; for a pull the one whose reader looks at it")
@click.option("--client-id", help="ours: the client")
@click.option("--client-secret", type=FILE, help="ours: a file with its secret")
@click.option("--subject", help="ours: a customer who is bound, so that records are accepted")
@click.option(
    "--signing-key",
    type=FILE,
    help="ours: the Ed25519 key (PEM) that signs files; without it no file is sent",
)
@click.option(
    "--first-seq",
    type=click.IntRange(1, 9_999_999_990),
    default=1,
    show_default=True,
    help="ours: the feed's first free number; four are used",
)
@click.option(
    "--within",
    "within_s",
    type=click.FloatRange(0.1, 300),
    default=15,
    show_default=True,
    help="seconds for each answer",
)
@click.option(
    "--most-bytes",
    type=click.IntRange(1_000, 500_000_000),
    default=MOST_BYTES,
    show_default=True,
    help="of each answer",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
@plainly
def command(url: str, kind: str, as_json: bool, **given: Any) -> None:
    """Check a partner's endpoint (mds, gbfs, ocpi), or ours with a partner's credentials. Ends with 1 when a check fails.

    Records and files that are sent to ours are real to it: give a sandbox, or a feed that is not in use yet.
    """
    asked, report = Asked(**given), Report()
    fetcher = Fetcher(_headers(asked.headers), asked.within_s, asked.most_bytes)
    try:
        if kind == "ours":
            _ours(report, fetcher, url, asked)
        elif kind == "gbfs":
            gbfs.check(report, fetcher, url)
        else:
            look = mds.check if kind == "mds" else ocpi.check
            look(report, fetcher, url, feeds().feed(asked.feed or READERS[kind]))
    except FetchFault as fault:
        report.expect(fault.code, False, fault.found, fault.mend)
    if as_json:
        click.echo(report.as_json())
    else:
        report.show()
    if not report.is_good:
        raise click.exceptions.Exit(1)


def _ours(report: Report, fetcher: Fetcher, url: str, asked: Asked) -> None:
    if asked.feed is None or asked.client_id is None or asked.client_secret is None:
        raise click.UsageError("--kind ours: --feed --client-id --client-secret")
    known = feeds().feed(asked.feed)
    api = ours.Api(fetcher, url.rstrip("/"), asked.client_id, asked.client_secret.read_text().strip())
    if not ours.check_token(report, api):
        return
    ours.check_records(report, api, known, asked.subject)
    if asked.signing_key is not None and known.samples:
        files.check_files(report, files.Sender(api, known, _key(asked.signing_key), asked.first_seq))


def _headers(path: Path | None) -> dict[str, str]:
    told = (
        {}
        if path is None
        else dict(line.partition(":")[::2] for line in path.read_text().splitlines() if line)
    )
    return {name.strip(): value.strip() for name, value in told.items()}


def _key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.UsageError("应为 Ed25519 私钥（PEM） / not an Ed25519 key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise click.UsageError("应为 Ed25519 私钥 / not an Ed25519 key")
    return key
