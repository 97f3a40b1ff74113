"""The rule of the embedded sample world, in parts.

Why: the engine's promises (text, pictures and ids each help; cold items are found) can only be
held against data whose rule is known. `parameters` holds the numbers, `lexicon` and `grammar` the
words, `pictures` the drawings, `world` items, users and interactions, `oracle` the best possible
recall. Nothing here is imported by the engine.
"""
