"""View models as pages or as JSON, and plots as SVG."""
