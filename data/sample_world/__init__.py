"""The rule of the embedded sample world, in parts.

Data with a known rule are needed to test that text, pictures and ids each help and that cold items
are found. `parameters` has the numbers, `lexicon` and `grammar` the words, `pictures` the drawings,
`world` items, users and interactions, `oracle` the best possible recall. The engine does not import
this package.
"""
