"""Recognised characters as LaTeX: symbols only."""
# ruff: noqa: RUF001 (characters that look like others are the point)

import unicodedata

_SYMBOLS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "∑": "sum", "∏": "prod", "∫": "int", "∮": "oint", "∂": "partial",
    "∇": "nabla", "∞": "infty", "√": "surd", "∈": "in", "∉": "notin", "∪": "cup", "∩": "cap", "⊂": "subset",
    "⊆": "subseteq", "∀": "forall", "∃": "exists", "∅": "emptyset", "×": "times", "÷": "div", "±": "pm",
    "∓": "mp", "·": "cdot", "≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "≡": "equiv", "∝": "propto",
    "→": "to", "←": "leftarrow", "⇒": "Rightarrow", "⇔": "Leftrightarrow", "↔": "leftrightarrow",
    "…": "ldots", "∥": "parallel", "⊥": "perp", "∠": "angle", "°": "circ", "ℓ": "ell",
}  # fmt: skip
_ESCAPED = {"%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$"}
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n", strict=True))


def to_latex(text: str) -> str:
    r"""Name the symbols of `text` in LaTeX; letters, digits and their order stay as they were read."""
    parts = []
    for character in text:
        if character in _SYMBOLS:
            parts.append(f"\\{_SYMBOLS[character]} ")
        elif character in _RAISED:
            parts.append(f"^{{{_RAISED[character]}}}")
        elif character in _LOWERED:
            parts.append(f"_{{{_LOWERED[character]}}}")
        else:
            parts.append(_ESCAPED.get(character) or unicodedata.normalize("NFKC", character))
    return "".join(parts).strip()
