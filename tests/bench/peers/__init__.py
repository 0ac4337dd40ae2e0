"""What is measured: each peer starts by itself on a free port of 127.0.0.1."""
