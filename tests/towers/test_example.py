import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_towers.py"


def test_the_example_trains_asks_saves_and_loads(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "after item-3, item-4 comes item-5",
        "right for 100% of the items",
    ]
