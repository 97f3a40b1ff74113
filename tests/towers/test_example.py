import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_example_of_towers_prints_correct_answers(capsys):
    runpy.run_path(str(EXAMPLES / "train_towers.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "after item-3, item-4 comes item-5",
        "right for 100% of the items",
    ]


def test_the_example_of_pairs_prints_correct_answers(capsys):
    runpy.run_path(str(EXAMPLES / "train_pairs.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "after 'Light!' a lamp is likely",
        "after 'Light!' a rug is unlikely",
        "learned in the task: AUC 1.00",
        "over its vectors: AUC 1.00",
    ]
