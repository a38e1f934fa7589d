"""The CPU engine: RapidOCR's text models behind the interface and prompts of PaddleOCR-VL."""
