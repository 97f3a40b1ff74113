"""The gRPC service over a bundle: it converts, guards and reports, and recommends nothing itself.

What is retrieved, and how, is the business of ``recsys.retrieval``; the contract is in ``protos/``.
"""
