"""Code systems and value sets: expand, contain, subsume."""
