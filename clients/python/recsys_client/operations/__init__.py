"""The calls of the services as data: method, request and how the response is read.

The synchronous and the asynchronous client make the same operations.
"""
