"""The GPUs that torch can see, and what its errors mean."""

from catalog.facts.devices import Gpu
from catalog.facts.errors import GpuLost, GpuOutOfMemory


def visible_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs of this process; torch is imported only here, which takes seconds."""
    import torch  # noqa: PLC0415 - no run on the CPU with indices should wait for it

    if not torch.cuda.is_available():
        return ()
    return tuple(Gpu(index, _key(index)) for index in range(torch.cuda.device_count()))


def _key(index: int) -> str:
    import torch  # noqa: PLC0415 - see above

    properties = torch.cuda.get_device_properties(index)
    return str(getattr(properties, "uuid", None) or f"{properties.name}-{index}")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out, of a GPU or of the machine."""
    import torch  # noqa: PLC0415 - see above

    # torch's allocator of main memory raises a plain RuntimeError
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error)


def too_small(device: object) -> GpuOutOfMemory:
    """Return the error of one window that does not fit."""
    return GpuOutOfMemory(
        f"One window does not fit the memory of {device}, alone in its pass: free the device, take a smaller network, or go on with "
        "--device cpu, or --cpu-fallback."
    )


def lost(error: RuntimeError) -> GpuLost | None:
    """Return what an error of torch means when it is about the GPU; None for any other."""
    if type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error):
        first = str(error).splitlines()[0]
        return GpuLost(f"The GPU failed ({first}): run the same command again, on another GPU, or with --device cpu, or --cpu-fallback.")
    return None
