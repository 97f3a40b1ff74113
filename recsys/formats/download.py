"""Downloads a file and compares it with the MD5 sum that its publisher states.

A download that was interrupted resumes.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any

from recsys.errors import DownloadError
from recsys.progress import Progress, silent

TIMEOUT = 30.0
MAX_BYTES = 2 * 1024**3
_CHUNK = 1 << 18
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def download(
    url: str, file: Path, *, progress: Progress = silent, timeout: float = TIMEOUT
) -> None:
    """Download ``url`` to ``file`` and check the MD5 sum stated at ``url + ".md5"``.

    The bytes are collected in ``file`` + ".part", which is renamed when it is whole and correct.

    Raises:
        DownloadError: The publisher does not answer or states no sum, or the sums differ.
    """
    stated = stated_md5(url, timeout=timeout)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    resumed = part.exists() and part.stat().st_size > 0
    _fetch(url, part, progress, timeout)
    if resumed and _md5(part) != stated:  # the earlier bytes may be of another file
        part.unlink()
        _fetch(url, part, progress, timeout)
    found = _md5(part)
    if found != stated:
        part.unlink()
        raise DownloadError(
            f"{url} has the MD5 sum {found}, its publisher states {stated}; the file was not kept: "
            "try again, or report it to the publisher"
        )
    part.replace(file)


def stated_md5(url: str, *, timeout: float = TIMEOUT) -> str:
    """The sum in ``url + ".md5"``: ``MD5 (NAME) = SUM``, ``SUM  NAME`` or the sum alone."""
    address = url + ".md5"
    with _open(address, {}, timeout) as answer:
        text = _read(answer, 4096, address).decode("ascii", errors="replace").strip()
    name = re.escape(url.rsplit("/", 1)[-1])
    for form in (rf"MD5 ?\({name}\) ?= ?([0-9a-f]{{32}})", rf"([0-9a-f]{{32}})(?: [ *]?{name})?"):
        for line in text.splitlines():
            match = re.fullmatch(form, line.strip(), re.IGNORECASE)
            if match:
                return match.group(1).lower()
    raise DownloadError(f"{address} states no MD5 sum; it holds {text[:80]!r}")


def _fetch(url: str, part: Path, progress: Progress, timeout: float) -> None:
    """Append the missing bytes to ``part``; all bytes where the publisher cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = _open(url, headers, timeout)
    except _RangeNotSatisfiableError:  # nothing is missing, or it is another file
        return
    with answer:
        begins = have if answer.status == 206 and _starts(answer) == have else 0
        if answer.status == 206 and begins != have:
            raise DownloadError(
                f"{url} answered with other bytes than the requested ones; try again"
            )
        length = answer.headers.get("Content-Length", "")
        total = begins + int(length) if length.isdigit() else 0
        if total > MAX_BYTES:
            raise DownloadError(f"{url} has {total:,} bytes; at most {MAX_BYTES:,} are taken")
        done = begins
        with part.open("ab" if begins else "wb") as file:
            while chunk := _read(answer, _CHUNK, url):
                file.write(chunk)
                done += len(chunk)
                if done > MAX_BYTES:
                    raise DownloadError(f"{url} has more than {MAX_BYTES:,} bytes")
                progress("download", done, max(total, done), url.rsplit("/", 1)[-1])
    if done < total:
        raise DownloadError(
            f"{url} broke off after {done:,} of {total:,} bytes; call again to resume"
        )


class _RangeNotSatisfiableError(Exception):
    """The publisher has no bytes in the requested range (416)."""


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, to: Any
    ) -> Any:
        _check_scheme(to)
        return super().redirect_request(req, fp, code, msg, headers, to)


def _open(url: str, headers: dict[str, str], timeout: float) -> Any:
    _check_scheme(url)
    handlers: list[urllib.request.BaseHandler] = [_NoDowngrade()]
    if urllib.parse.urlsplit(url).hostname in _LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"User-Agent": "recsys", **headers})
    try:
        return urllib.request.build_opener(*handlers).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            raise _RangeNotSatisfiableError from None
        raise DownloadError(f"{url} answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} could not be reached: {reason}") from error


def _read(answer: IO[bytes], size: int, url: str) -> bytes:
    try:
        return answer.read(size)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{url} broke off: {error!r}; call again to resume") from error


def _starts(answer: Any) -> int:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(match.group(1)) if match else -1


def _check_scheme(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DownloadError(f"{url} is not an https address; data sets are taken over https only")


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
