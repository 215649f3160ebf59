"""House rules that need more than names; each says why. `python -m tools.lint` runs them."""
