"""Few numbers a user and an item that rank as a teacher does that no index could hold.

What is taught is told in :mod:`recsys.towers.distillation.targets`, by whom it is learned in
:mod:`recsys.towers.distillation.student`.
"""
