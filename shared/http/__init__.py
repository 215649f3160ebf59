"""What speaks HTTP: the client for calls to the outside, and the kit for our own APIs."""
