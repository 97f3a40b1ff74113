"""What each lever of the towers and of their training is worth: each removed or replaced once.

``__main__`` tells how to run it.
"""
