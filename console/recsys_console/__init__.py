"""The web console: pages over a running service, for people.

It is a client of the gRPC service and nothing more. ``recsys console`` starts it;
``recsys_console.application.create_application`` is the ASGI application.
"""
