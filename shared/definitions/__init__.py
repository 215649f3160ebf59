"""What process owners write as text: policies, catalogue, templates, directory (pure)."""
