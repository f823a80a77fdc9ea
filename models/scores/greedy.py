"""The loop of COCO's matching, over those pairs alone that share ground."""

import numpy as np
from numpy.typing import NDArray

from models.outlines.kernels import compiled

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@compiled
def match_greedily(start: Indices, truth: Indices, likeness: Floats, ignored: Flags, crowd: Flags, thresholds: Floats) -> Indices:
    """Give each detection, best score first, the free truth that it overlaps most; (thresholds, detections), -1 for none.

    Pairs of detection d are `truth[start[d]:start[d + 1]]`, in the order of the truths; of equal overlaps the last wins, as in
    pycocotools. An `ignored` truth is taken only where no other is enough, and a `crowd` by any number of detections.
    """
    count = len(start) - 1
    matched = np.full((len(thresholds), count), -1, np.int64)
    for level in range(len(thresholds)):
        taken = np.zeros(len(ignored), np.bool_)
        for detection in range(count):
            found = -1
            for asked in (False, True):
                best = min(thresholds[level], 1 - 1e-10)
                for pair in range(start[detection], start[detection + 1]):
                    one = truth[pair]
                    if ignored[one] != asked or (taken[one] and not crowd[one]) or likeness[pair] < best:
                        continue
                    best = likeness[pair]
                    found = one
                if found >= 0:
                    break
            matched[level, detection] = found
            if found >= 0:
                taken[found] = True
    return matched
