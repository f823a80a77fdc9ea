"""Merging detections of overlapping windows: ours beside box suppression (torchvision) and beside the union of all outlines.

Scenes of 160 slumps, half of them in clusters, seen in overlapping windows with 10 m of jitter and 5 % misses, laid side by side.
Suppression and union draw each detection by itself first, as they must before polygons can be counted. Extras are outlines that match no
slump; lost slumps are those that no outline matches at an IoU of 0.3; areas are over those matched. CPU seconds after one warm-up.

    python -m benchmarks.bench_merge [--scenes 8] [--copies 1] [--window 112] [--stride 56] [--json FILE]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.slump_views import UP, outlines, polygons, seen, slumps, verdict
from models.detector.merge import Detected, merge

ASIDE_PX = 2240
"""Scenes lie this far apart, a multiple of every stride that is asked for here."""


def ground(scenes: int, copies: int, window_px: int, stride_px: int) -> tuple[Detected, NDArray[np.object_]]:
    """Detections and truth of `scenes` scenes, each laid down `copies` times."""
    found, truths = [], []
    for seed in range(scenes):
        truth = slumps(seed)
        one = seen(truth, window_px=window_px, stride_px=stride_px, seed=seed)
        for copy in range(copies):
            shift = np.array([0, (seed * copies + copy) * ASIDE_PX])
            found.append((one, one.windows_yx + shift))
            truths.append(shapely.transform(truth, lambda corners, shift=shift: corners + shift[::-1] * 10.0))
    firsts = np.cumsum([0, *(len(windows) for _, windows in found)])
    window = np.concatenate([one.window + first for (one, _), first in zip(found, firsts, strict=False)])
    boxes, scores, masks = (np.concatenate([getattr(one, name) for one, _ in found]) for name in ("boxes", "scores", "masks"))
    windows = np.concatenate([windows for _, windows in found])
    return Detected(windows, window_px, UP, window, boxes, scores, masks), np.concatenate(truths)


def suppressed(detected: Detected) -> NDArray[np.object_]:
    """Box suppression at 0.5 over all windows; each kept mask is an outline."""
    return outlines(_rows(detected, kept_boxes(detected)))


def kept_boxes(detected: Detected) -> NDArray[np.int64]:
    import torch  # noqa: PLC0415 - takes seconds
    from torchvision.ops import nms  # noqa: PLC0415

    corners = detected.windows_yx[detected.window][:, ::-1] * UP
    boxes = detected.boxes + np.tile(corners - corners.min(0), 2)
    return nms(torch.from_numpy(boxes.astype(np.float32)), torch.from_numpy(np.asarray(detected.scores, np.float32)), 0.5).numpy()


def united(detected: Detected) -> NDArray[np.object_]:
    """The union of all outlines, cut into what hangs together."""
    return np.asarray(shapely.get_parts(shapely.union_all(outlines(detected))), dtype=object)


def ours(detected: Detected) -> NDArray[np.object_]:
    return polygons(merge(detected))


def _rows(detected: Detected, rows: NDArray[np.int64]) -> Detected:
    columns = (getattr(detected, name)[rows] for name in ("window", "boxes", "scores", "masks"))
    return Detected(detected.windows_yx, detected.window_px, detected.up, *columns)


def timed(work: Callable[[], NDArray[np.object_]]) -> tuple[NDArray[np.object_], float]:
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--window", type=int, default=112)
    parser.add_argument("--stride", type=int, default=56)
    parser.add_argument("--json", type=Path)
    call = parser.parse_args()
    warm, _ = ground(1, 1, call.window, call.stride)
    detected, truth = ground(call.scenes, call.copies, call.window, call.stride)
    print(
        f"{len(truth)} slumps, {len(detected.windows_yx)} windows of {call.window} px every {call.stride} px, {len(detected.scores)} detections"
    )
    result = {}
    for name, work in {"ours": ours, "suppression": suppressed, "union": united}.items():
        work(warm)
        shapes, seconds = timed(lambda work=work: work(detected))
        found = verdict(shapes, truth)
        result[name] = {"cpu_seconds": seconds, "extras": found.extras, **asdict(found)}
        print(
            f"{name:12s} {seconds:7.1f} s  found {found.found:6d}  extras {100 * found.extras:5.1f} %  lost {100 * (1 - found.matched / found.truth):4.1f} %"
            f"  area {100 * found.area_bias:+5.1f} %  total area {100 * found.total_bias:+5.1f} %"
        )
    _, alone = timed(lambda: kept_boxes(detected))
    result["boxes"] = {"cpu_seconds": alone}
    print(f"box suppression alone, nothing drawn: {alone:.2f} s")
    if call.json:
        call.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
