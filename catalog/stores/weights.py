"""Weights by name, path, hub reference or address: found, verified, and read without running anything that is in them.

Which hash a fetched file must have: the one that the caller gives (`reference#sha256=...`), else the one that the hub
announces, else the one in the card beside it. The first proves who made the file, the others only that it came through whole.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from catalog.facts.cards import FORMAT, WeightsCard, check_statistics
from catalog.facts.describer_cards import DESCRIBER_FORMAT, DescriberCard
from catalog.facts.detector_cards import DETECTOR_FORMAT, DetectorCard, check_scaling
from catalog.facts.embedder_cards import EMBEDDER_FORMAT, EmbedderCard
from catalog.facts.errors import WeightsMissing, WeightsUnfit, WrongCall
from catalog.facts.referrer_cards import REFERRER_FORMAT, ReferrerCard
from catalog.stores.downloads import HubFile, WebFile, fetch, remote_file, verify
from catalog.stores.files import PARTIAL_SUFFIX, write_atomic

if TYPE_CHECKING:
    # torch takes a second to import, and finding weights does not need it
    from torch import Tensor

WEIGHTS: Final = "weights.safetensors"
CARD: Final = "card.json"
VOCABULARY: Final = "tokenizer.json"
"""Beside weights of systems that read and write."""
SHIPPED: Final = Path(str(files("catalog").joinpath("weights")))
"""One folder per shipped name."""
_PINNED: Final = re.compile(r"(?P<reference>.+)#sha256=(?P<hash>[0-9a-fA-F]{64})")
_PICKLES: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
Card = WeightsCard | DetectorCard | DescriberCard | ReferrerCard | EmbedderCard
"""What travels beside weights of the five systems."""
ReadingCard = TypeVar("ReadingCard", DescriberCard, ReferrerCard, EmbedderCard)
_ADAPTERS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "segmenter": TypeAdapter(WeightsCard),
    "detector": TypeAdapter(DetectorCard),
    "describer": TypeAdapter(DescriberCard),
    "referrer": TypeAdapter(ReferrerCard),
    "embedder": TypeAdapter(EmbedderCard),
}
_FORMATS: Final = {
    "segmenter": FORMAT,
    "detector": DETECTOR_FORMAT,
    "describer": DESCRIBER_FORMAT,
    "referrer": REFERRER_FORMAT,
    "embedder": EMBEDDER_FORMAT,
}
_KINDS: Final = {
    "segmenter": "a model of lakes",
    "detector": "a detector of slumps",
    "describer": "a describer of scenes",
    "referrer": "a referrer of words",
    "embedder": "an embedder of images and words",
}


def shipped_names() -> tuple[str, ...]:
    """Names of the weights that come with the program."""
    return tuple(sorted(card.parent.name for card in SHIPPED.glob(f"*/{CARD}")))


def find_weights(reference: str, cache: Path | None, *, sha256: str | None = None) -> Path:
    """Return the path of a file of weights; what is not on this machine is fetched into `cache`, a folder per hash;
    without one nothing is fetched.

    `reference` is a shipped name, a file, a folder with `weights.safetensors` and `card.json`,
    `hf://owner/repository[@revision]/path` or an address; its hash is `sha256`, or follows as `#sha256=<hex>`. Raises
    WeightsMissing, WeightsUnfit or WrongCall.
    """
    named, pinned = _without_hash(reference)
    expected = (sha256 or pinned or "").lower() or None
    source = remote_file(named)
    if source is not None and cache is None:
        raise WeightsMissing(f"{source} is not on this machine, and nothing is fetched here: give a path.")
    if source is not None and cache is not None:
        return _fetched(source, cache, expected)
    file = _local(str(SHIPPED / named) if named in shipped_names() else named)
    if expected is not None:
        verify(file, expected, str(file))
    return file


def read_weights(reference: str, cache: Path | None = None) -> tuple[WeightsCard, "dict[str, Tensor]"]:
    """Find, verify and read a segmenter's weights with their card; raises WeightsMissing, WeightsUnfit or WrongCall."""
    card, file = find_card(reference, cache)
    if not isinstance(card, WeightsCard):
        raise WrongCall(
            f"{reference} holds {card.name}, {_KINDS[_system_of(card)]}, and a model of lakes is asked for: name another model."
        )
    return card, read_tensors(file)


def read_detector(reference: str, cache: Path | None = None) -> tuple[DetectorCard, "dict[str, Tensor]"]:
    """Find, verify and read a detector's weights with their card; raises WeightsMissing, WeightsUnfit or WrongCall."""
    card, file = find_card(reference, cache)
    return _detecting(card, reference), read_tensors(file)


def find_detector_card(reference: str, cache: Path | None = None) -> DetectorCard:
    """Find a detector's weights, verify them and read their card alone; raises WeightsMissing, WeightsUnfit or WrongCall."""
    return _detecting(find_card(reference, cache)[0], reference)


def read_describer(reference: str, cache: Path | None = None) -> "tuple[DescriberCard, dict[str, Tensor], str]":
    """Find, verify and read a describer's weights with their card and the content of their vocabulary.

    Raises WeightsMissing, WeightsUnfit or WrongCall.
    """
    return _read_reading(reference, cache, DescriberCard, "a describer")


def read_referrer(reference: str, cache: Path | None = None) -> "tuple[ReferrerCard, dict[str, Tensor], str]":
    """Find, verify and read a referrer's weights with their card and the content of their vocabulary.

    Raises WeightsMissing, WeightsUnfit or WrongCall.
    """
    return _read_reading(reference, cache, ReferrerCard, "a referrer")


def read_embedder(reference: str, cache: Path | None = None) -> "tuple[EmbedderCard, dict[str, Tensor], str]":
    """Find, verify and read an embedder's weights with their card and the content of their vocabulary.

    Raises WeightsMissing, WeightsUnfit or WrongCall.
    """
    return _read_reading(reference, cache, EmbedderCard, "an embedder")


def find_card(reference: str, cache: Path | None = None) -> tuple[Card, Path]:
    """Find weights and the card whose hash they have; raises WeightsMissing, WeightsUnfit or WrongCall."""
    file = find_weights(reference, cache)
    card = read_card(file.parent)
    verify(file, card.sha256, str(file))
    return card, file


def read_card(folder: Path) -> Card:
    """Read `card.json`; raises WeightsMissing without one, WeightsUnfit for a newer format, unknown keys or implausible statistics."""
    path = folder / CARD
    if not path.is_file():
        raise WeightsMissing(f"{folder} holds no {CARD}: weights are used with the card that was written beside them, put it there.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # cards of segmenters are older than the word
        told = content.get("system") if isinstance(content, dict) else None
        system = told if told in _FORMATS else "segmenter"
        known = _FORMATS[system]
        if isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] > known:
            raise WeightsUnfit(f"{path} has format {content['format']}, this program knows {known}: update cryoatlas.")
        card: Card = _ADAPTERS[system].validate_python(content)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise WeightsUnfit(f"{path} is not JSON ({error}): fetch or write it again.") from error
    except ValidationError as error:
        raise WeightsUnfit(f"{path} is not a card of weights: {'; '.join(_faults(error))}. Correct these keys.") from error
    check_card(card, where=str(path))
    return card


def check_card(card: Card, *, where: str) -> None:
    """Raise WeightsUnfit when the numbers that a card scales its inputs by cannot be those of our bands in our units."""
    if isinstance(card, DetectorCard):
        check_scaling(card, where=where)
    elif isinstance(card, WeightsCard):
        check_statistics(card.statistics, where=where)


def read_tensors(file: Path) -> "dict[str, Tensor]":
    """Read a safetensors file; floats come back as float32. Raises WeightsUnfit for a pickle or a damaged file."""
    if is_pickle(file):
        raise WeightsUnfit(
            f"{file} is a PyTorch pickle, which may run code when it is read: turn it into safetensors with "
            f"`cryoatlas models convert {file} --out FOLDER`."
        )
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: _widened(opened.get_tensor(name)) for name in opened.keys()}  # noqa: SIM118 - not a mapping
    except SafetensorError as error:
        raise WeightsUnfit(f"{file} is not whole safetensors ({error}): fetch or write it again.") from error


def is_pickle(file: Path) -> bool:
    """Say whether a file is what `torch.save` writes, by its first bytes."""
    with file.open("rb") as opened:
        return opened.read(4).startswith(_PICKLES)


def card_json(card: Card) -> bytes:
    """Return the content of `card.json`."""
    return _ADAPTERS[_system_of(card)].dump_json(card, indent=1) + b"\n"


def _read_reading(reference: str, cache: Path | None, kind: type[ReadingCard], wanted: str) -> "tuple[ReadingCard, dict[str, Tensor], str]":
    """Weights of a system that reads, with their card and vocabulary."""
    card, file = find_card(reference, cache)
    if not isinstance(card, kind):
        raise WrongCall(f"{reference} holds {card.name}, {_KINDS[_system_of(card)]}, and {wanted} is asked for: name another model.")
    return card, read_tensors(file), _vocabulary(file.parent, card.vocabulary_sha256)


def _system_of(card: Card) -> str:
    return "segmenter" if isinstance(card, WeightsCard) else card.system


def _vocabulary(folder: Path, sha256: str) -> str:
    """Content of the vocabulary beside weights that write."""
    vocabulary = folder / VOCABULARY
    if not vocabulary.is_file():
        raise WeightsMissing(f"{folder} holds no {VOCABULARY}: weights that write are used with the words that they learned, put it there.")
    verify(vocabulary, sha256, str(vocabulary))
    return vocabulary.read_text(encoding="utf-8")


def _detecting(card: Card, reference: str) -> DetectorCard:
    if not isinstance(card, DetectorCard):
        raise WrongCall(
            f"{reference} holds {card.name}, {_KINDS[_system_of(card)]}, and a detector of slumps is asked for: name another model."
        )
    return card


def _without_hash(reference: str) -> tuple[str, str | None]:
    match = _PINNED.fullmatch(reference)
    if match is None and "#sha256" in reference:
        raise WrongCall(f"{reference!r}: after #sha256= 64 hexadecimal digits must follow.")
    return (reference, None) if match is None else (match["reference"], match["hash"])


def _local(named: str) -> Path:
    path = Path(named).expanduser()
    if path.is_dir():
        path /= WEIGHTS
    if not path.is_file():
        shipped = ", ".join(shipped_names()) or "none yet"
        raise WeightsMissing(
            f"There are no weights at {path}: give a folder with {WEIGHTS} and {CARD}, a file, hf://owner/repository/file, an "
            f"address, or a shipped name ({shipped})."
        )
    return path


def _fetched(source: HubFile | WebFile, cache: Path, expected: str | None) -> Path:
    remembered = cache / "references" / hashlib.sha256(str(source).encode()).hexdigest()
    try:
        promised = expected or source.announced_sha256() or _promised_by_card(source, cache)
    except WeightsMissing:
        # without a network, what the reference stood for last time is used, if that is still here
        if not remembered.is_file():
            raise
        promised = remembered.read_text()
    folder = cache / promised
    if source.name.endswith(".safetensors") and not (folder / CARD).is_file():
        write_atomic(folder / CARD, _card_of(source, cache))
    file = fetch(source, folder / source.name, promised)
    write_atomic(remembered, promised.encode())
    return file


def _promised_by_card(source: HubFile | WebFile, cache: Path) -> str:
    if source.name.endswith(".safetensors"):
        try:
            promised = json.loads(_card_of(source, cache)).get("sha256")
        except (ValueError, AttributeError) as error:
            raise WeightsUnfit(f"{source.beside(CARD)} is not a card of weights ({error}): give another reference.") from error
        if isinstance(promised, str) and re.fullmatch("[0-9a-f]{64}", promised):
            return promised
    raise WeightsUnfit(
        f"{source} comes without a hash, so nobody could tell whether it is whole: write {source}#sha256=... with the one its author gives."
    )


def _card_of(source: HubFile | WebFile, cache: Path) -> bytes:
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, suffix=PARTIAL_SUFFIX) as folder:
        source.beside(CARD).copy_to(Path(folder) / CARD)
        return (Path(folder) / CARD).read_bytes()


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors()[:5]:
        yield f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def _widened(tensor: Any) -> Any:
    return tensor.float() if tensor.is_floating_point() else tensor
