"""Encoders of text from word vectors: pretrained, trained on the catalogue, or counted."""
