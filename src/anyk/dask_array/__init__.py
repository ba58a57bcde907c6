"""Products with a dask.array whose chunks lie on the workers of a Dask cluster (dask extra)."""

from anyk.dask_array.product import distribute, matmul

__all__ = ["distribute", "matmul"]
