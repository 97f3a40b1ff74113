"""The text encoder "bert": a pretrained transformer, read from local files."""
