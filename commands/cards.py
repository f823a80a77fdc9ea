"""Cards of slump detectors in words."""

from catalog.facts.detector_cards import DetectorCard, DetectorConfig


def facts_of_detector(card: DetectorCard) -> dict[str, object]:
    """Return what `cryoatlas models show` tells of a detector, in order."""
    network, calibration = card.network, card.calibration
    slumps, found = len(calibration.truth_m2), sum(score >= 0 for score in calibration.truth_score)
    return {
        "name": card.name,
        "title": card.title,
        "version": card.version,
        "sha256": card.sha256,
        "licence": card.licence,
        "trained on": card.trained_on,
        "recipe": card.recipe,
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


def _network(network: DetectorConfig) -> str:
    together = (
        "stacked to one image" if network.stacked else f"fusion {network.fusion.kind} ({network.fusion.scope}, {network.fusion.level})"
    )
    looks = f"{network.backbone} per modality, {together}" if len(network.modalities) > 1 else network.backbone
    return f"{looks}, {network.heads} heads, pyramid of {network.channels} channels, x{network.up} upsampled"
