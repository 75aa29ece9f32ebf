"""Take a generated file in from bytes to acts and say by how much the process grew: `python -m … '{"rows": …}'`."""

import gzip
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random

from flask import Flask

from carbon_credits.activities.delivered import Ground, advance
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import connect, in_transaction
from carbon_credits.partners import arrivals, keys, progress, service
from carbon_credits.partners.arrivals import Arriving
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register
from carbon_credits.partners.unpacking import CHUNK
from tests.factories.partner_files import FEED, HEADER, Sender


def lines(rows: int, wide: int, now: datetime) -> Iterator[bytes]:
    """A header, and rows some `wide` bytes wide: of forty one is a resident's, one nobody's, the rest refused."""
    # as little alike as real rows are, or the file would be taken for one that is made to burst
    pool = 2 * Random(7).randbytes(1 << 15).hex()
    yield HEADER.encode() + b"\n"
    began = (now - timedelta(hours=5)).replace(microsecond=0).isoformat()
    for number in range(rows):
        filling = pool[(at := number * 7_919 % (1 << 16)) : at + wide]
        if number % 40 == 0:
            yield f"{number},rider-1,B{number},{began},1500,{filling}\n".encode()
        elif number % 40 == 1:
            yield f"{number},nobody-{number},B{number},{began},1500,{filling}\n".encode()
        else:
            yield f"{number},rider-1,B{number},{began},0,{filling}\n".encode()


def write(path: Path, rows: int, wide: int, now: datetime) -> tuple[str, int]:
    """Write the file packed; the digest and length of what it unpacks to."""
    digest, length = sha256(), 0
    with gzip.open(path, "wb", 1) as out:
        for line in lines(rows, wide, now):
            digest.update(line)
            length += len(line)
            out.write(line)
    return digest.hexdigest(), length


def peak() -> int:
    """The most bytes this process had since its program began; getrusage would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def main() -> None:
    """As told in the argument."""
    told = json.loads(sys.argv[1])
    home, now = Path(told["home"]), clock.now()
    sender = Sender(day=clock.day_of(now))
    path = home / "file.csv.gz"
    sha256_raw, length = write(path, told["rows"], told["wide"], now)
    with path.open("rb") as stream:
        digest = sha256()
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    # each size is a sequence of its own
    sent = sender.send(
        b"",
        seq=told["rows"],
        rows=told["rows"],
        sha256=digest.hexdigest(),
        sha256_raw=sha256_raw,
        bytes=path.stat().st_size,
    )
    app = Flask("large")
    connect(app, told["url"])
    vault, inbox = Vault({1: bytes.fromhex(told["key"])}), Inbox(home)
    with app.app_context():
        partner_id = in_transaction(lambda s: service.partner_by_code(s, FEED.partner).partner_id)
        in_transaction(lambda s: keys.add_key(s, partner_id, sender.public_key, now))
        before = peak()
        with path.open("rb") as stream:
            stored = inbox.store(iter(partial(stream.read, CHUNK), b""))
        came = Arriving(
            partner_id, "door", read_manifest(sent.manifest), read_signature(sent.signature), stored
        )
        in_transaction(lambda s: arrivals.arrive(s, inbox, Register([FEED]), came, now))
        stored.discard()
        ground = Ground(vault, inbox, FEED, lambda _: None, in_transaction, lambda: now)
        source = in_transaction(lambda s: service.source_by_feed(s, FEED.code).source_id)
        row = in_transaction(lambda s: progress.next_file(s, source))
        assert row is not None
        state = advance(ground, row)
    print(json.dumps({"state": state, "bytes": length, "before": before, "rise": peak() - before}))


if __name__ == "__main__":
    main()
