"""Cards of slump detectors, and of the three systems that read, in words."""

from catalog.facts.describer_cards import DescriberCard
from catalog.facts.detector_cards import DetectorCard, DetectorConfig
from catalog.facts.embedder_cards import EmbedderCard
from catalog.facts.referrer_cards import ReferrerCard
from catalog.stores.weights import Card


def origin_of(card: Card) -> dict[str, object]:
    """Return what is told of any weights first: their name, and where they come from."""
    return {
        "name": card.name,
        "title": card.title,
        "version": card.version,
        "sha256": card.sha256,
        "licence": card.licence,
        "trained on": card.trained_on,
        "recipe": card.recipe,
    }


def facts_of_detector(card: DetectorCard) -> dict[str, object]:
    """Return what `cryoatlas models show` tells of a detector, in order."""
    network, calibration = card.network, card.calibration
    slumps, found = len(calibration.truth_m2), sum(score >= 0 for score in calibration.truth_score)
    return {
        **origin_of(card),
        "network": _network(network),
        "needs": ", ".join(network.modalities),
        "statistics": f"{card.statistics.source}: "
        + ", ".join(f"{name} {' '.join(f'{number:.3g}' for number in numbers)}" for name, numbers in card.statistics.mean.items()),
        "window px": network.window_px,
        "stride px": card.stride_px,
        "threshold": card.threshold,
        "calibration": f"{calibration.source}: {len(calibration.score)} detections, {found} of {slumps} slumps found, "
        f"{sum(calibration.observed_km2):.1f} km2 in {len(calibration.observed_km2)} blocks",
        "figures": card.figures,
        "cite": card.citation,
    }


def facts_of_describer(card: DescriberCard) -> dict[str, object]:
    """Return what `cryoatlas models show` tells of a describer, in order."""
    network = card.network
    language, encoder = network.language, network.encoder
    return {
        **origin_of(card),
        "network": f"language model of {language.layers} layers of {language.hidden}, {network.language_path}; encoder {encoder.kind} of "
        f"{encoder.depth} layers of {encoder.embed}; {network.decoder.prompt_tokens} prompt tokens",
        "needs": ", ".join(dict.fromkeys((*encoder.channels, *network.vision.needs))),
        "statistics": card.scaling.source,
        "image px": encoder.image_px,
        "threshold": card.threshold,
        "figures": card.figures,
        "cite": card.citation,
    }


def facts_of_referrer(card: ReferrerCard) -> dict[str, object]:
    """Return what `cryoatlas models show` tells of a referrer, in order."""
    network, memory = card.network, card.network.memory
    language = network.language
    kept = "no memory" if memory is None else f"memory of {memory.rows} classes, {memory.slots} slots, fused by {memory.fusion}"
    return {
        **origin_of(card),
        "network": f"language model of {language.layers} layers of {language.hidden}, {network.language_path}; {kept}",
        "classes": ", ".join(card.classes),
        "needs": ", ".join(network.vision.needs),
        "image px": network.vision.image_px,
        "scene m": card.ground_m,
        "threshold": card.threshold,
        "figures": card.figures,
        "cite": card.citation,
    }


def facts_of_embedder(card: EmbedderCard) -> dict[str, object]:
    """Return what `cryoatlas models show` tells of an embedder, in order."""
    network = card.network
    tower, language = network.vision, network.language
    return {
        **origin_of(card),
        "network": f"tower of {tower.layers} layers of {tower.hidden}, {tower.tokens} image tokens; language model of {language.layers} layers "
        f"of {language.hidden}, {network.language_path}; places as {network.geo.encoding}",
        "needs": ", ".join(tower.needs),
        "image px": tower.image_px,
        "scene m": card.ground_m,
        "temperature": card.temperature,
        "instructions": card.instructions,
        "figures": card.figures,
        "cite": card.citation,
    }


def _network(network: DetectorConfig) -> str:
    together = (
        "stacked to one image" if network.stacked else f"fusion {network.fusion.kind} ({network.fusion.scope}, {network.fusion.level})"
    )
    looks = f"{network.backbone} per modality, {together}" if len(network.modalities) > 1 else network.backbone
    return f"{looks}, {network.heads} heads, pyramid of {network.channels} channels, x{network.up} upsampled"
