"""History encoders, their configurations, and ``build.build_history_encoder``.

Importing this package or its configurations does not load TensorFlow.
"""
