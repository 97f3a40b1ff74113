"""Data sets by name, and their download from a publisher that runs on this machine."""

from __future__ import annotations

import hashlib
import io
import socket
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.errors import DownloadError, NotFoundError
from recsys.formats import MovieLensInteractions, locate, resolve
from recsys.formats import download as downloading
from recsys.formats.archive import unpack
from recsys.formats.download import download, stated_md5
from tests.formats.frames import read_interactions

RATINGS = b"".join(b"%d::%d::5::978300760\n" % (i, i * 7) for i in range(1, 3000))
FILES = {"ml-1m/ratings.dat": RATINGS, "ml-1m/movies.dat": b"7::Jumanji (1995)::Comedy\n"}


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


ARCHIVE = zipped(FILES)


class Publisher:
    """A publisher: its files, its faults, and the requests that it received."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.break_after: int | None = None
        self.resumes = True
        self.redirect: str | None = None
        self.requests: list[tuple[str, str | None]] = []
        self.url = ""

    def serve(self, content: bytes, *, name: str = "ml-1m.zip", md5: str | None = None) -> None:
        self.files[f"/{name}"] = content
        stated = md5 or hashlib.md5(content).hexdigest()
        self.files[f"/{name}.md5"] = f"MD5 ({name}) = {stated}\n".encode()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        range_header = request.headers.get("Range")
        self.requests.append((request.path, range_header))
        if self.redirect is not None:
            request.send_response(302)
            request.send_header("Location", self.redirect)
            request.end_headers()
            return
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        resumed = range_header if self.resumes else None
        begin = int(resumed.removeprefix("bytes=").removesuffix("-")) if resumed else 0
        if begin and begin >= len(content):
            request.send_error(416)
            return
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - begin))
        request.end_headers()
        end = len(content)
        if self.break_after is not None and not request.path.endswith(".md5"):
            end = min(end, begin + self.break_after)
        request.wfile.write(content[begin:end])


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_home_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECSYS_DATA_HOME", raising=False)
    monkeypatch.setenv("no_proxy", "*")


def fetch(publisher: Publisher, cache: Path, **more: object) -> Path:
    return locate("movielens-1m", cache=cache, base_url=publisher.url, **more)


def left(cache: Path) -> set[str]:
    """Every file below the cache, by its path."""
    return {str(file.relative_to(cache)) for file in cache.rglob("*") if file.is_file()}


def test_a_download_is_unpacked_and_read(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(ARCHIVE)
    seen: list[tuple[int, int]] = []

    def progress(description: str, done: int, total: int, note: str = "") -> None:
        assert (description, note) == ("download", "ml-1m.zip")
        seen.append((done, total))

    folder = fetch(publisher, tmp_path, progress=progress)
    assert folder == tmp_path / "movielens-1m"
    assert left(tmp_path) == {"movielens-1m/ratings.dat", "movielens-1m/movies.dat"}
    assert seen[-1] == (len(ARCHIVE), len(ARCHIVE))
    log = read_interactions(MovieLensInteractions(path=str(folder)))
    assert len(log) == 2999

    before = len(publisher.requests)
    assert fetch(publisher, tmp_path) == folder
    assert len(publisher.requests) == before, "a cached data set is not downloaded again"


def test_the_home_comes_before_the_cache(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    (home / "movielens-1m").mkdir(parents=True)
    (cache / "movielens-1m").mkdir(parents=True)
    assert fetch(publisher, cache) == cache / "movielens-1m"
    monkeypatch.setenv("RECSYS_DATA_HOME", str(home))
    assert fetch(publisher, cache) == home / "movielens-1m"
    assert publisher.requests == []


def test_a_wrong_checksum_keeps_nothing(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(ARCHIVE, md5="0" * 32)
    text = r"data set 'movielens-1m'.*its publisher states 0{32}; the file was not kept"
    with pytest.raises(DownloadError, match=text):
        fetch(publisher, tmp_path)
    assert left(tmp_path) == set()


def test_an_interrupted_download_resumes(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(ARCHIVE)
    publisher.break_after = 1000
    with pytest.raises(DownloadError, match="broke off.*call again.*set RECSYS_DATA_HOME"):
        fetch(publisher, tmp_path)
    assert left(tmp_path) == {"archives/ml-1m.zip.part"}
    publisher.break_after = None
    assert (fetch(publisher, tmp_path) / "ratings.dat").read_bytes() == RATINGS
    assert ("/ml-1m.zip", "bytes=1000-") in publisher.requests


def test_a_publisher_that_cannot_resume_sends_all_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.serve(ARCHIVE)
    publisher.resumes = False
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "ml-1m.zip.part").write_bytes(ARCHIVE[:500])
    assert (fetch(publisher, tmp_path) / "ratings.dat").read_bytes() == RATINGS


@pytest.mark.parametrize("part", [b"of another file", ARCHIVE, ARCHIVE + b"and more"])
def test_bytes_of_an_earlier_download_are_checked(
    publisher: Publisher, tmp_path: Path, part: bytes
) -> None:
    publisher.serve(ARCHIVE)
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "ml-1m.zip.part").write_bytes(part)
    assert (fetch(publisher, tmp_path) / "ratings.dat").read_bytes() == RATINGS


def test_a_publisher_without_the_file(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"ml-1m.zip.md5 answered 404.*set RECSYS_DATA_HOME"):
        fetch(publisher, tmp_path)
    publisher.files["/ml-1m.zip.md5"] = b"0" * 32
    with pytest.raises(DownloadError, match="ml-1m.zip answered 404"):
        fetch(publisher, tmp_path)


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "http://127.0.0.1:1"
    text = "could not be reached: .*refused.*set RECSYS_DATA_HOME to a folder that holds"
    with pytest.raises(DownloadError, match=text):
        locate("movielens-1m", cache=tmp_path, base_url=nobody)

    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match="could not be reached: .*not known"):
        locate("movielens-1m", cache=tmp_path, base_url="https://nowhere.invalid")


def test_only_https(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="is not an https address"):
        locate("movielens-1m", cache=tmp_path, base_url="http://example.org")
    with pytest.raises(DownloadError, match="is not an https address"):
        locate("movielens-1m", cache=tmp_path, base_url="file:///etc")
    publisher.redirect = "http://example.org/ml-1m.zip"
    with pytest.raises(DownloadError, match="http://example.org/ml-1m.zip is not an https address"):
        fetch(publisher, tmp_path)


def test_a_file_that_is_too_large(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.serve(ARCHIVE)
    monkeypatch.setattr(downloading, "MAX_BYTES", 100)
    with pytest.raises(DownloadError, match="at most 100 are taken"):
        download(f"{publisher.url}/ml-1m.zip", tmp_path / "ml-1m.zip")


@pytest.mark.parametrize(
    "text",
    [
        "MD5 (a.zip) = C4D9EECFCA2AB87C1945AFE126590906",
        "c4d9eecfca2ab87c1945afe126590906  a.zip\n",
        "c4d9eecfca2ab87c1945afe126590906 *a.zip",
        "c4d9eecfca2ab87c1945afe126590906",
        f"{'0' * 32}  other.zip\nc4d9eecfca2ab87c1945afe126590906  a.zip\n",
    ],
)
def test_forms_of_a_stated_sum(publisher: Publisher, text: str) -> None:
    publisher.files["/a.zip.md5"] = text.encode()
    assert stated_md5(f"{publisher.url}/a.zip") == "c4d9eecfca2ab87c1945afe126590906"


@pytest.mark.parametrize("text", ["", "<html>", f"MD5 (b.zip) = {'0' * 32}", "0" * 31])
def test_a_missing_sum_is_refused(publisher: Publisher, text: str) -> None:
    publisher.files["/a.zip.md5"] = text.encode()
    with pytest.raises(DownloadError, match="states no MD5 sum"):
        stated_md5(f"{publisher.url}/a.zip")


def bad_archives() -> Iterator[tuple[str, bytes, str]]:
    out = "which leads out of its folder"
    yield "dots", zipped({"../evil": b"x"}), out
    yield "dots inside", zipped({"ml-1m/../../evil": b"x"}), out
    yield "absolute", zipped({"/evil": b"x"}), out
    yield "backslashes", zipped({"..\\evil": b"x"}), out
    yield "drive", zipped({"C:evil": b"x"}), out
    yield "the folder itself", zipped({".": b"x"}), out
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as archive:
        member = zipfile.ZipInfo("ml-1m/link")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    yield "link", link.getvalue(), "links are refused"
    yield "empty", zipped({}), "is empty"
    yield "no zip", b"<html>", "is not a whole zip archive"
    yield "cut short", ARCHIVE[: len(ARCHIVE) // 2], "is not a whole zip archive"
    damaged = bytearray(ARCHIVE)
    damaged[200] ^= 255
    yield "damaged", bytes(damaged), "is not a whole zip archive"


@pytest.mark.parametrize(
    ("content", "text"),
    [pytest.param(content, text, id=name) for name, content, text in bad_archives()],
)
def test_an_untrusted_archive_is_refused(
    publisher: Publisher, tmp_path: Path, content: bytes, text: str
) -> None:
    publisher.serve(content)
    cache = tmp_path / "deep" / "cache"
    with pytest.raises(DownloadError, match=text):
        fetch(publisher, cache)
    assert not (cache / "movielens-1m").exists()
    assert not list(tmp_path.rglob("evil"))
    assert left(tmp_path) <= {"deep/cache/archives/ml-1m.zip"}


def test_an_archive_that_grows_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(ARCHIVE)
    with pytest.raises(DownloadError, match="unpacks to .* bytes; at most 1,000 are taken"):
        unpack(tmp_path / "a.zip", tmp_path / "out", max_bytes=1000)
    assert not (tmp_path / "out").exists()


def test_an_archive_without_a_top_folder_and_an_existing_folder(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a": b"1", "b/c": b"2"}))
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert left(tmp_path / "out") == {"a", "b/c"}
    (tmp_path / "out" / "a").write_text("kept")
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]


def test_unknown_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        NotFoundError, match="no known publisher; set RECSYS_DATA_HOME.*ns-100k, mov"
    ):
        locate("films", cache=tmp_path)
    with pytest.raises(NotFoundError, match="or let it be downloaded"):
        locate("movielens-1m", cache=tmp_path, download="never")
    for name in ("../x", "", "a/b", ".hidden"):
        with pytest.raises(NotFoundError, match="is not the name of a data set"):
            locate(name, cache=tmp_path)
    monkeypatch.setenv("RECSYS_DATA_HOME", str(tmp_path / "home"))
    with pytest.raises(NotFoundError, match="home.films or "):
        locate("films", cache=tmp_path)


def test_paths_of_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_DATA_HOME", str(tmp_path))
    (tmp_path / "films").mkdir()
    assert resolve("data:films/a/b.csv") == tmp_path / "films" / "a" / "b.csv"
    assert resolve("data:films") == tmp_path / "films"
    assert resolve("a.csv", tmp_path / "configs") == tmp_path / "configs" / "a.csv"
    assert resolve("../a.csv", Path("configs")) == Path("configs/../a.csv")
    assert resolve(str(tmp_path / "a.csv"), Path("configs")) == tmp_path / "a.csv"
    assert resolve("a.csv") == Path("a.csv")
    for path in ("data:films/../other", "data:films//etc/passwd"):
        with pytest.raises(NotFoundError, match="leads out of the data set"):
            resolve(path)
    with pytest.raises(NotFoundError, match="no data set 'none'"):
        resolve("data:none/x", download="never")


def test_a_path_in_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found without its code being run."""
    (tmp_path / "carrier" / "model").mkdir(parents=True)
    (tmp_path / "carrier" / "__init__.py").write_text("raise SystemExit('the code was run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve("package:carrier/model", Path("configs")) == tmp_path / "carrier" / "model"
    assert resolve("package:carrier") == tmp_path / "carrier"
    for path in ("package:carrier/../other", "package:carrier//etc/passwd"):
        with pytest.raises(NotFoundError, match="leads out of the package; write package:carrier"):
            resolve(path)
    for name in ("no_such_package", "os.path", "__main__", "", "a b"):
        with pytest.raises(NotFoundError, match="no installed Python package .*pip install it"):
            resolve(f"package:{name}/x")


def test_a_cache_that_cannot_be_written(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(ARCHIVE)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DownloadError, match="cannot be kept"):
        fetch(publisher, tmp_path / "cache")
