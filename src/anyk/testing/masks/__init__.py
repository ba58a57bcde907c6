"""Whether the masks of a scheme are uniform or normal, fresh and independent."""
