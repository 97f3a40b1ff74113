"""Few numbers a user and an item that rank as a teacher does that no index could hold.

The teacher's targets are computed in ``targets``; the student that learns them is in ``student``.
"""
