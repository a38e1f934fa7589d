"""A VLM server without a model: vLLM's protocol and continuous batching, its time from a formula."""
