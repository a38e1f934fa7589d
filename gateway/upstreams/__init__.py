"""Clients of the services behind the gateway. What they say is translated here into our errors."""
