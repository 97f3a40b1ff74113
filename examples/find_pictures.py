"""Find items by a picture that is not in the catalogue, by words, and by both together.

Run ``python examples/find_pictures.py``. In the sample data (data/README.md) the pictures show an
item's style and the texts its topic. With the name of a PNG, as in ``python
examples/find_pictures.py sheet.png``, the candidates are drawn as well. No towers are trained.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.encoders import AutoEncoderConfig, Encoder, Word2VecConfig, build_encoder
from recsys.evaluation.query_sheet import SIDE, Tile, draw_query_sheet
from recsys.evaluation.thumbnails import thumbnail, thumbnail_from_bytes
from recsys.features import CataloguePictures
from recsys.ids import IdMap
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.pictures import PictureStore
from recsys.retrieval import IMAGE, TEXT, Retriever, Space, WeightedSum

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
ITEMS = 600
PICTURE, WORDS = "i0704.png", "guitar strings"


def catalogue_of(store: PictureStore) -> Catalogue:
    """The first items of the sample data, without the item of the query picture."""
    table = pd.read_csv(SAMPLE / "items.csv", nrows=ITEMS)
    fields = CatalogueFields(title="title", text=("title", "description"), image="image")
    return Catalogue.of(table, fields, store)


def retriever_of(catalogue: Catalogue) -> Retriever:
    """Two content spaces with the encoders of their queries, without a log and towers."""
    texts, pictures = catalogue.texts(), CataloguePictures(catalogue)
    text = build_encoder(Word2VecConfig(dimension=32, epochs=10), texts)
    image = build_encoder(AutoEncoderConfig(dimension=32, epochs=4), pictures)

    def space(name: str, encoder: Encoder, contents: object) -> Space:
        encoded = encoder.encode(contents)  # type: ignore[arg-type]
        return Space.content(name, encoded.vectors, encoded.mask, ExactConfig())

    log = Interactions.of(IdMap.of("user", []), catalogue.ids, user=[], item=[], time=[])
    spaces = {TEXT: space(TEXT, text, texts), IMAGE: space(IMAGE, image, pictures)}
    return Retriever(catalogue, log, None, spaces, text_encoder=text, image_encoder=image)


def show(retriever: Retriever, sheet: Path | None = None) -> None:
    """Send three queries, print the titles of the candidates, and draw them if a file is given."""
    catalogue = retriever.catalogue
    assert catalogue.pictures is not None
    picture = catalogue.pictures.read(PICTURE)
    assert picture is not None
    looks = retriever.retrieve(image=picture, k=6, space="image")
    reads = retriever.retrieve(terms=WORDS, k=6, space="text")
    both = retriever.retrieve(
        image=picture, terms=WORDS, k=6, space="text+image", fusion=WeightedSum()
    )
    titles = catalogue.titles()
    queries = (("picture", looks), ("words", reads), ("picture and words", both))
    for query, answer in queries:
        print(f"Candidates by {query}:")
        for each in answer.candidates:
            parts = " ".join(f"{name} {score:.2f}" for name, score in each.parts.items())
            print(f"  {each.score:.2f}  {titles[catalogue.ids.row(each.id)]}  {parts}".rstrip())
    if sheet is not None:
        rows = [catalogue.ids.row(item) for item in (*looks.ids, *reads.ids, *both.ids)]
        query_tiles = [Tile(PICTURE, thumbnail_from_bytes(picture, SIDE)), Tile(WORDS)]
        found = [Tile(titles[row], thumbnail(catalogue, row, SIDE)) for row in rows]
        draw_query_sheet(query_tiles, found).save(sheet)


def main() -> None:
    """Build the two spaces and send the queries."""
    catalogue = catalogue_of(PictureStore.open(SAMPLE / "pictures.zip"))
    show(retriever_of(catalogue), Path(sys.argv[1]) if len(sys.argv) > 1 else None)


if __name__ == "__main__":
    main()
