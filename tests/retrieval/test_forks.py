"""A forked process with an open engine gets an error and does not hang."""

from __future__ import annotations

from tests import forked


def test_use_after_a_fork_is_an_error_that_names_spawn() -> None:
    done = forked.run("tests.retrieval.forking")
    first, second, parent = done.stdout.splitlines()
    for line in (first, second):
        assert line.startswith("service_failed process ")
        assert "multiprocessing.get_context('spawn') and open the bundle in each" in line
    assert parent == "1"
