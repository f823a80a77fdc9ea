"""Every benchmark, one after the other, at sizes that take minutes: `make bench`.

Larger sizes say more: each module runs alone too, `python -m benchmarks.bench_units --help`.
"""

import subprocess
import sys
import time

SMALL = {
    "bench_polygons": ("--size", "2048", "--repeats", "2"),
    "bench_composite": ("--size", "2048", "--repeats", "1"),
    "bench_chips": ("--chips", "128", "--per-shard", "32"),
    "bench_units": ("--chips", "3", "--repeats", "1"),
    "bench_ap": (),
    "bench_tracks": ("--lakes", "2000", "--repeats", "1"),
    "bench_merge": ("--scenes", "2"),
    "bench_segmenter": ("--chips", "4", "--repeats", "1"),
    "bench_object_store": ("--chips", "2"),
    "bench_plan": ("--east", "70"),
    "ten_thousand_tiles": ("--tiles", "150"),
    "bench_orchestration": (),
    "bench_workers": ("--chips", "1"),
    "describe_scores": ("--data", "simulated:100000-100007"),
    "refer_scores": ("--data", "simulated:100000-100007"),
}


def main() -> int:
    """Run all; return 1 when one fails."""
    failed = []
    for name, arguments in SMALL.items():
        print(f"\n== {name} {' '.join(arguments)}", flush=True)
        started = time.perf_counter()
        # a process each, so that one benchmark's caches and threads are not another's
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False)
        print(f"-- {time.perf_counter() - started:.0f} s wall", flush=True)
        failed += [name] if done.returncode else []
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
