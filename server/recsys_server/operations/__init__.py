"""What a service states about itself: figures per minute, alerts, slow requests and settings."""
