"""The baseline: a service of the shape of PaddleOCR's reference for PaddleOCR-VL, to measure ours against.

Written anew after reading PaddleOCR (deploy/paddleocr_vl_docker/hps) and PaddleX (deploy/hps), both Apache-2.0.
Each module says what it keeps of them. What PaddleX's package has is not written again but used: its pipeline
with its queues, its client of the VLM server, its schemas and its reading of files, at the version we pin.
"""
