"""Vision-language servers behind one OpenAI-compatible interface; `python -m vlm_server` starts one."""
