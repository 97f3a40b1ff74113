"""Other models, run in their own environment on files that the benchmark writes.

Nothing here imports the engine; a model is a function from a log and its settings to ranked lists.
"""
