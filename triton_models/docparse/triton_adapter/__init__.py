"""Triton's Python backend on one side, the pipeline on the other. The only importer of `pb_utils`.

One module per Triton model, so that a model's process imports only what it runs.
"""
