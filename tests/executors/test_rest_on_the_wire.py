"""Residues on their way: in their own size on every wire, and nothing else is taken for them."""

import sys
import threading

import numpy as np
import pytest
from executor_tasks import remote_workers  # noqa: F401
