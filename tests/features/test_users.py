import numpy as np
import pytest

from recsys.errors import DataError
from recsys.features import user_block
from recsys.formats import NamedVectors
from recsys.ids import IdMap

USERS = IdMap.of("user", ["ann", "bob", "eve"])


def test_each_user_gets_the_vector_of_that_name():
    named = NamedVectors(("eve", "zoe", "ann"), np.arange(6, dtype=np.float32).reshape(3, 2))
    block, unknown = user_block(named, USERS)
    assert block.vectors.tolist() == [[4, 5], [0, 0], [0, 1]]
    assert block.mask.tolist() == [True, False, True]
    assert unknown == ["zoe"]


def test_vectors_of_unknown_users_only_are_refused():
    named = NamedVectors(("1", "2"), np.ones((2, 2), np.float32))
    with pytest.raises(DataError, match="none of the 2 users with a vector is among the 3"):
        user_block(named, USERS)
