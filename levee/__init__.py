"""The product's command line and the all-in-one house."""
