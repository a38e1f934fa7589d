"""HTTP in and out; each handler is a few lines over a service."""
