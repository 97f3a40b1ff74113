"""What ``QualityService`` shows: reports as messages, and maps with their cache."""
