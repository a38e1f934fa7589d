"""Pages turned upright and flattened before their layout is found: PaddleX's document preprocessor, page by page."""

from docparse.preprocessing.page import Preprocessed, PreprocessingOptions
from docparse.preprocessing.settings import PreprocessingSettings

__all__ = ["Preprocessed", "PreprocessingOptions", "PreprocessingSettings"]
