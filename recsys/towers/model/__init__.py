"""The networks: item tower, query tower, and the trainable models that join them."""
