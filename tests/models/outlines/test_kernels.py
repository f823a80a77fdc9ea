from models.outlines.kernels import compiled


def test_a_kernel_compiles_where_no_cache_can_be_written():
    # numba finds no place to cache a function that has no file, as it finds none in a read-only image
    names: dict = {}
    exec("def double(x):\n    return 2 * x", names)  # noqa: S102
    assert compiled(names["double"])(21) == 42
