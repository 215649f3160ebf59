"""Contracts, plumbing and the field's pure libraries; never one service's rule."""
