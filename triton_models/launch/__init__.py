"""Starts Triton with our models: `python -m launch`, with this folder's parent on PYTHONPATH.

The local stack and the containers start the middle tier by it, so that settings are read and refused in one place.
"""
