"""Workers of somebody else's engine: Dask, Ray, concurrent.futures."""
