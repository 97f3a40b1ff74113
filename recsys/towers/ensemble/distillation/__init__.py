"""Distillation: vectors of users and items that rank as a teacher too large for an index.

``targets`` computes the teacher's lists; ``student`` trains on them.
"""
