"""Every deliberate error: one sentence that says what, where, the value and the way out."""

EXIT_WRONG_CALL = 2
"""The call itself is wrong: a name, a year, a path, an option."""
EXIT_UNITS_FAILED = 3
"""The call was right, but some unit of work could not be completed."""


class CryoatlasError(Exception):
    """Base of all deliberate errors; its text is shown to the user as it is."""

    exit_code = EXIT_UNITS_FAILED


class WrongCall(CryoatlasError):
    """The user asked for something that does not exist or cannot be."""

    exit_code = EXIT_WRONG_CALL


class UnknownRegion(WrongCall):
    """No region of that name."""


class UnknownModel(WrongCall):
    """No model of that name, or a model whose input contract the cube cannot meet."""


class BandsMissing(UnknownModel):
    """A model expects bands that the cube lacks."""


class YearsInverted(WrongCall):
    """A year span that ends before it starts, or lies outside the archive."""


class UnitsFailed(CryoatlasError):
    """Some units could not be completed, said by a run that nobody sees the report of."""


class ServerUnreachable(CryoatlasError):
    """The Prefect server did not answer for as long as a run can wait."""


class CatalogUnreachable(CryoatlasError):
    """The catalog did not answer after all retries."""


class NoScenes(CryoatlasError):
    """The catalog holds no scene for a region and season."""


class SourceUnavailable(CryoatlasError):
    """A read that may work when tried again: time-outs, 429, 5xx. The only error that is retried."""


class SourceBroken(CryoatlasError):
    """A file that is there but cannot be decoded; trying again does not help."""


class SourceGarbled(SourceBroken):
    """A file that was answered but cannot be decoded: broken for good, or badly answered."""


class GridMismatch(CryoatlasError):
    """Raster or table does not lie on the grid that was promised."""


class ProductDamaged(CryoatlasError):
    """A product of ours is there but its bytes are not what was written."""


class SchemaError(CryoatlasError):
    """Data does not have the columns, types or units of its schema; lists every mismatch."""


class StoreNewer(WrongCall):
    """The store was written by a newer schema than this program knows."""


class StoreNotWritable(WrongCall):
    """The store path exists but cannot be written, or cannot be created."""


class StoreFull(CryoatlasError):
    """The disk or quota behind the store is full; what is complete stays complete."""


class StoreLost(CryoatlasError):
    """The disk or the mount behind the store does not answer any more; what is complete stays complete."""


STORE_UNUSABLE = (StoreFull, StoreLost, StoreNotWritable)
"""What ends a run, because no other unit could do better."""


class UnpredictedPixels(CryoatlasError):
    """Some valid pixel of a tile got no prediction, or a prediction that is not a number."""


class WeightsMissing(WrongCall):
    """Weights that are named are not there: no such file, card, repository or name."""


class WeightsUnfit(CryoatlasError):
    """Weights that are there cannot be trusted or used: wrong hash, wrong keys, wrong shapes."""


class ChipsUnusable(WrongCall):
    """Chips that cannot be trained on or scored: none in a split, none with data, wrong bands or units."""


class RecipeWrong(WrongCall):
    """A training recipe with an unknown key, a value out of range, or for another target."""


class Unpublishable(CryoatlasError):
    """What is to be published has holes or faults; nothing was published."""


class LeaseBusy(CryoatlasError):
    """Somebody else is at work on a region-year, or on what the years of a region share."""


class LeaseLost(CryoatlasError):
    """This program held a lease and does no longer: it was paused for too long, and somebody else may be at work."""


class GpuOutOfMemory(CryoatlasError):
    """One window alone does not fit the memory of the device."""


class GpuLost(CryoatlasError):
    """The GPU does not answer any more; what this process had on it is gone."""


class ExtraMissing(WrongCall):
    """Something was asked for whose libraries are not installed by default."""

    @classmethod
    def of(cls, extra: str, what: str) -> "ExtraMissing":
        """Say which extra `what` needs, and how to install it."""
        return cls(f'{what} needs the extra `{extra}`: `pip install --constraint constraints.txt --editable ".[{extra}]"`.')


class ClusterLost(CryoatlasError):
    """The Dask cluster does not answer, or has no workers."""


class CodeDiffers(WrongCall):
    """A worker runs other code than the program that gives it work."""


class WorkerLost(CryoatlasError):
    """The worker process died while it worked on a unit, as often as is allowed."""
