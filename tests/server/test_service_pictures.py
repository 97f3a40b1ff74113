"""Query pictures over gRPC, decoded for real: odd formats, hostile files, many at once."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from recsys.encoders import Encoded
from recsys.encoders.pictures.decoding import decode_all
from recsys.errors import InvalidRequestError, RecsysError
from recsys.index import ExactConfig
from recsys.retrieval import IMAGE, Query, Response, Retriever, Space
from recsys_client import RecsysClient
from recsys_server.limits import Limits
from tests.encoders.drawings import bomb, drawing, file_of, made_pictures
from tests.retrieval.world import ITEMS, make_world
from tests.server.service_world import WAIT, served

SIZE = 8
PICTURES = made_pictures(len(ITEMS))


@dataclass(frozen=True)
class Pixels:
    """An encoder without a network: the pixels of the shrunk picture."""

    dimension: int = SIZE * SIZE * 3

    def encode(self, contents: Sequence[bytes | None]) -> Encoded:
        decoded = decode_all(contents, SIZE)
        raw = np.zeros((len(contents), self.dimension), np.float32)
        raw[decoded.positions] = decoded.pixels.reshape(-1, self.dimension) - np.float32(127.5)
        return Encoded.of(raw, decoded.faults)


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    """Item ``iNN`` has drawing NN."""
    encoded = Pixels().encode(PICTURES)
    space = Space.content(IMAGE, encoded.vectors, encoded.mask, ExactConfig())
    world = make_world().retriever()
    return replace(world, spaces={**world.spaces, IMAGE: space}, image_encoder=Pixels())


@pytest.fixture(scope="module")
def client(retriever: Retriever) -> Iterator[RecsysClient]:
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        yield client


def test_the_picture_of_an_item_finds_the_item_and_then_its_neighbours(
    client: RecsysClient,
) -> None:
    for item, picture in zip(ITEMS, PICTURES):
        by_picture = client.retrieve(image=picture, k=6, space="image")
        by_item = client.retrieve(item_id=item, k=5, space="image")
        assert by_picture.ids == [item, *by_item.ids]
        without = client.retrieve(image=picture, k=5, space="image", exclude=[item])
        np.testing.assert_allclose(
            [candidate.score for candidate in without.candidates],
            [candidate.score for candidate in by_item.candidates],
            atol=1e-6,
        )


@pytest.mark.parametrize("form", ["JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_the_same_picture_in_another_format_and_size(client: RecsysClient, form: str) -> None:
    picture = file_of(drawing(5).resize((300, 300)), form)
    assert client.retrieve(image=picture, k=1, space="image").ids == ["i05"]


def _blank(mode: str, side: int) -> bytes:
    return file_of(Image.new(mode, (side, side)), "PNG")


def _long_comment() -> bytes:
    """A small picture whose comment unpacks to 64 MiB."""
    picture, text = PICTURES[0], b"comment\0\0" + zlib.compress(bytes(64 * 2**20), 9)
    chunk = b"zTXt" + text
    packed = len(text).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return picture[:33] + packed + picture[33:]


HOSTILE = {
    "zeros": (bytes(Limits().image), "not a picture in a known format"),
    "text": (b"a lamp, please", "not a picture in a known format"),
    "nothing": (b"", "the file is empty"),
    "truncated": (PICTURES[3][: len(PICTURES[3]) // 2], "the picture cannot be read"),
    "many pixels in few bytes": (_blank("L", 7_000), "49,000,000 pixels; at most 16,000,000"),
    "more pixels than it holds": (bomb(9_000), "81,000,000 pixels; at most 16,000,000"),
    "far more pixels": (bomb(60_000), "3,600,000,000 pixels; at most 16,000,000"),
    "a comment that unpacks": (_long_comment(), "the picture cannot be read"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture in a known format"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture in a known"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_picture_that_must_not_be_read_is_refused_with_its_reason(
    client: RecsysClient, kind: str
) -> None:
    picture, reason = HOSTILE[kind]
    with pytest.raises(InvalidRequestError, match=reason) as caught:
        client.retrieve(image=picture, k=3, space="image")
    assert caught.value.field == "query.image"
    assert client.retrieve(image=PICTURES[0], k=1, space="image").ids == ["i00"]


def test_a_hostile_picture_does_not_harm_the_others_of_its_batch(client: RecsysClient) -> None:
    files = [PICTURES[7], *(HOSTILE[kind][0] for kind in HOSTILE if kind != "zeros"), PICTURES[9]]
    answers = client.retrieve_batch([Query(image=file) for file in files], k=1, space="image")
    assert isinstance(answers[0], Response) and answers[0].ids == ["i07"]
    assert isinstance(answers[-1], Response) and answers[-1].ids == ["i09"]
    for answer in answers[1:-1]:
        assert isinstance(answer, RecsysError) and answer.field == "query.image"


def test_a_batch_of_many_pixels_is_refused_before_any_is_unpacked(client: RecsysClient) -> None:
    large = Query(image=_blank("1", 4_000))
    with pytest.raises(InvalidRequestError, match="80,000,000 pixels in its .* 64,000,0") as caught:
        client.retrieve_batch([large] * 5, k=1, space="image")
    assert caught.value.field == "requests"


def test_a_picture_as_large_as_is_read(client: RecsysClient) -> None:
    noise = np.random.default_rng(0).integers(256, size=(480, 480, 9), dtype=np.uint8)
    picture = io.BytesIO()
    Image.fromarray(noise[..., :3]).resize((4_000, 4_000)).save(picture, "JPEG", quality=5)
    assert len(client.retrieve(image=picture.getvalue(), k=3, space="image").ids) == 3
    with pytest.raises(InvalidRequestError, match="2,097,153 bytes; at most 2,097,152"):
        client.retrieve(image=bytes(Limits().image + 1), k=3, space="image")


def test_many_at_the_same_time(client: RecsysClient) -> None:
    def ask(number: int) -> list[str]:
        picture, words = PICTURES[number], str(number)
        return client.retrieve(image=picture, terms=words, k=1, space="text+image").ids

    with ThreadPoolExecutor(8) as pool:
        numbers = list(range(1, 30)) * 3
        assert list(pool.map(ask, numbers)) == [[f"i{number:02d}"] for number in numbers]
