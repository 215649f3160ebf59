"""What intake knows of requests, as plain values and rules: nothing here waits or asks the time."""
