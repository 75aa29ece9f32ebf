"""Fetching from a system that is not ours: bounded in time, size and redirects, and never led to another place.

The address was typed by an operator and is trusted; where its answers lead (a redirect, a next page, a list of feeds) is
not, and is followed only within the same scheme, host and port.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TookTooLong

from carbon_credits.api import strict_json
from carbon_credits.core.i18n import Text

MOST_REDIRECTS: Final = 3
MOST_BYTES: Final = 20_000_000
CHUNK: Final = 65_536
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class FetchFault(Exception):
    """Nothing came that could be looked at: why, and what to mend."""

    def __init__(self, code: str, found: Text, mend: Text) -> None:
        super().__init__(code)
        self.code = code
        self.found = found
        self.mend = mend


@dataclass(frozen=True)
class Fetched:
    """An answer; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """The body as strict JSON. Raises FetchFault."""
        try:
            return strict_json.decode(self.body)
        except strict_json.NotStrictJson as error:
            mend = Text(
                "返回 UTF-8 的 JSON，名称不重复，无 NaN", "Answer JSON in UTF-8, no name twice, no NaN"
            )
            raise FetchFault("json", error.detail, mend) from error

    def kept(self) -> Any:
        """The body as JSON, or None: for answers whose status says enough."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Fetcher:
    """Who fetches: the headers it sends, how long all of one answer may take (s) and how large it may be."""

    headers: Mapping[str, str]
    within_s: float = 15.0
    most_bytes: int = MOST_BYTES

    def get(self, url: str) -> Fetched:
        """GET, redirects followed within the same place. Raises FetchFault."""
        asked = url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self.call("GET", asked)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            asked = self.within(url, urljoin(asked, answer.headers.get("location", "")))
        found = Text(f"重定向超过 {MOST_REDIRECTS} 次", f"more than {MOST_REDIRECTS} redirects")
        raise FetchFault("redirects", found, Text("直接给出最终地址", "Answer at the address itself"))

    def call(self, method: str, url: str, **given: Any) -> Fetched:
        """One request and the whole of its answer. Raises FetchFault."""
        headers = {"Accept-Encoding": "identity", **self.headers, **given.pop("headers", {})}
        limit = time.monotonic() + self.within_s
        try:
            with requests.request(
                method,
                _address(url),
                headers=headers,
                timeout=self.within_s,
                stream=True,
                allow_redirects=False,
                **given,
            ) as answer:
                body = b"".join(self._pieces(answer, limit))
                named = {name.lower(): value for name, value in answer.headers.items()}
                return Fetched(url, answer.status_code, named, body)
        except (requests.Timeout, TookTooLong) as error:
            raise self._slow() from error
        except (requests.RequestException, HTTPError, ValueError) as error:
            found = Text(f"无法连接：{type(error).__name__}", f"cannot be reached: {type(error).__name__}")
            raise FetchFault(
                "reachable", found, Text("检查地址、证书与网络", "Look at address, certificate, network")
            ) from error

    def within(self, base: str, url: str) -> str:
        """The address, where it lies in the same place as another. Raises FetchFault."""
        if urlsplit(url)[:2] != urlsplit(base)[:2]:
            found = Text("应答指向另一主机，未跟随", "an answer leads to another host and was not followed")
            raise FetchFault("same_host", found, Text("链接须在同一主机", "Links must stay on the same host"))
        return url

    def _pieces(self, answer: requests.Response, limit: float) -> Iterator[bytes]:
        size = 0
        # what has come so far, however little: whoever sends a byte a second is not waited for
        while piece := answer.raw.read1(CHUNK):
            size += len(piece)
            if size > self.most_bytes:
                found = Text(
                    f"应答超过 {self.most_bytes} 字节", f"the answer is larger than {self.most_bytes} bytes"
                )
                raise FetchFault("size", found, Text("请分页", "Answer in pages"))
            if time.monotonic() > limit:
                raise self._slow()
            yield piece

    def _slow(self) -> FetchFault:
        found = Text(f"{self.within_s:g} 秒内未答完", f"no whole answer within {self.within_s:g} s")
        return FetchFault("time", found, Text("缩短响应时间", "Answer faster"))


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    found = Text("须使用 https（本机除外）", "only https, except on this machine")
    raise FetchFault("https", found, Text("改用 https", "Serve it over https"))
