"""The processes of a service: a supervisor, and worker processes that share its port.

The supervisor loads neither gRPC nor a bundle. Each worker is a new Python process with a server of
its own; none is forked from a process that has started gRPC or TensorFlow.
"""
