"""The services next to ``RetrievalService``, one module per service."""
