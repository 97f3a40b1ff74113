"""Losses: one module per loss, their configurations, and ``build.build_loss``.

Importing this package or its configurations does not load TensorFlow.
"""
