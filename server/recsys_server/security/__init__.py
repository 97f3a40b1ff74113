"""Access to the service: TLS and client certificates, bearer tokens with scopes, rate limits."""
