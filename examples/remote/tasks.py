"""What our workers are willing to compute: the functions that they serve, by name."""

__all__ = ["gram", "predict"]


def gram(x):
    """X^T X of one share."""
    return x.T @ x


def predict(x, w):
    """X w of one share."""
    return x @ w
