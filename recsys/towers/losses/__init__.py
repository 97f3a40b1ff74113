"""Losses: one module per loss, their configurations, and ``build.build_loss``, which makes one.

Importing this package or its configurations does not load TensorFlow.
"""
