"""Chips: training samples of 224 px as they are stored, stacked by modality."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHIP_PX: Final = 224
LABEL_SCALE: Final = 250
"""A label holds the share of the pixel that lakes cover x 250."""
LABEL_IGNORE: Final = 255
"""Nobody knows: no loss and no score counts the pixel."""
Split = str
"""`train`, `val`, `test`, or `buffer` for a chip that no stage may use."""
SPLITS: Final = ("train", "val", "test", "buffer")


@dataclass(frozen=True, slots=True)
class ChipBatch:
    """N chips in stored units; a modality that a chip lacks holds its fill value everywhere."""

    s2: NDArray[np.uint16]
    """(N, 12, y, x), surface reflectance x 10 000, 0 = nodata."""
    s1: NDArray[np.float32]
    """(N, 2, y, x), VV and VH in dB, NaN = nodata."""
    dem: NDArray[np.float32]
    """(N, y, x), metres, NaN = nodata."""
    cause: NDArray[np.uint8]
    """(N, y, x), codes of `Cause`."""
    label: NDArray[np.uint8]
    """(N, y, x), lake coverage x 250, 255 = ignore."""
    weight: NDArray[np.float32]
    """(N,), below one where the label is of another year than the image."""

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.label)
