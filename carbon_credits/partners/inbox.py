"""Where delivered files lie until they are acts: a folder of this machine, never the memory.

A file is streamed to a name of its own and digested on the way. When its row is written it is named by the row's
number; once its rows are acts its bytes go, and only keyed digests of its records stay, to tell versions apart.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

from carbon_credits.core.errors import Invalid, Unavailable
from carbon_credits.core.i18n import Text

MOST_BYTES: Final = 2 << 30
KEPT_KEYS_S: Final = 60 * 86_400
ABANDONED_S: Final = 86_400
_PACKED: Final = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


@dataclass(frozen=True)
class Stored:
    """A file on disk under a passing name: its digest and length in bytes."""

    path: Path
    sha256: bytes
    length: int

    def discard(self) -> None:
        """Let go of the passing name; what was kept under a number stays."""
        self.path.unlink(missing_ok=True)


class Inbox:
    """The folder of one home. Every path is made of numbers of ours."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "inbox"

    def store(self, chunks: Iterable[bytes], most: int = MOST_BYTES) -> Stored:
        """Write chunks down as they come. Raises Invalid (`file_empty`, `file_too_large`, `packing_not_taken`), and
        Unavailable when there is no room; then nothing is left behind.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{uuid4().hex}.part"
        seen, length = sha256(), 0
        try:
            with path.open("xb") as out:
                for chunk in chunks:
                    if length == 0 and chunk:
                        _refuse_packing(chunk)
                    length += len(chunk)
                    if length > most:
                        raise _too_large(most)
                    seen.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if length == 0:
                raise Invalid("file_empty", Text("文件为空", "The file is empty"))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Unavailable(
                "no_room", Text("暂时无法存放文件", "No room for the file"), retry_after_s=60
            ) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Stored(path, seen.digest(), length)

    def keep(self, stored: Stored, file_id: int) -> None:
        """Keep a stored file under its row's number too; a transaction done again may do so again."""
        os.link(stored.path, self.sent(file_id))

    def sent(self, file_id: int) -> Path:
        """The bytes as they were sent."""
        return self.folder / f"{file_id}.sent"

    def plain(self, file_id: int, part: int = 0) -> Path:
        """The content, unpacked and checked, without its trailer; or a part of it."""
        return self.folder / (f"{file_id}-{part}.plain" if part else f"{file_id}.plain")

    def keys(self, file_id: int) -> Path:
        """Keyed digests of the records, to compare the next version with."""
        return self.folder / f"{file_id}.keys"

    def forget(self, file_id: int) -> None:
        """The bytes of a file that is done go; its digests stay."""
        for path in (self.sent(file_id), self.plain(file_id), *self.folder.glob(f"{file_id}-*.plain")):
            path.unlink(missing_ok=True)

    def files(self) -> dict[int, float]:
        """The numbers of the files whose bytes are here, and since when (seconds since the epoch)."""
        found = (path for path in self.folder.glob("*.*") if path.suffix in {".sent", ".plain"})
        return {int(path.stem.partition("-")[0]): path.stat().st_mtime for path in found}

    def tidy(self, now_s: float) -> int:
        """Delete what was abandoned half-way a day ago, and digests that no version will be compared with any more.

        `now_s` is seconds since the epoch. Returns how many files went.
        """
        done = 0
        for path in self.folder.glob("*.*"):
            kept_s = KEPT_KEYS_S if path.suffix == ".keys" else ABANDONED_S
            if path.suffix in {".part", ".keys"} and path.stat().st_mtime < now_s - kept_s:
                path.unlink(missing_ok=True)
                done += 1
        return done


def _refuse_packing(start: bytes) -> None:
    name = next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)
    if name is not None:
        detail = Text(f"不接受 {name}，请用 gzip 或不压缩", f"{name} is not taken: send gzip, or plain")
        raise Invalid("packing_not_taken", detail)


def _too_large(most: int) -> Invalid:
    return Invalid(
        "file_too_large",
        Text(f"文件超过 {most:,} 字节，请分拆", f"The file is larger than {most:,} bytes: split it"),
    )
