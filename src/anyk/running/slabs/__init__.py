"""Data that come slab by slab: read here, or made of what lies on a cluster already."""
