"""The text encoder "elmo": a bidirectional language model, trained on the catalogue's texts."""
