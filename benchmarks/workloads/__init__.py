"""Documents and request bodies, made from seeds."""
