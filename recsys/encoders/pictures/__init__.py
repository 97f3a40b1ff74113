"""Image encoders: decoding, pretrained convolutional networks and a trained auto-encoder."""
