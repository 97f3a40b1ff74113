"""The connection to the gRPC service, and what an error of it means for a person."""
