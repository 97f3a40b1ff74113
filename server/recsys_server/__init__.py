"""The gRPC service over a bundle: it converts requests, enforces limits and reports errors.

``recsys.retrieval`` answers the requests; the contract is in ``protos/``.
"""
