"""Proves that the services agree: nothing lost, nothing doubled, nothing stuck, nobody orphaned."""
