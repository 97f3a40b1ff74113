"""The query tower after training, as arrays and compiled loops, without TensorFlow."""
