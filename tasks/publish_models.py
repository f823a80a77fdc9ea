"""The model behind each year of a release, with its card and weights, where a publication keeps models."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.cards import WeightsCard
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.errors import WeightsUnfit
from catalog.facts.publication import ModelFacts
from catalog.stores.jobs import stored_region
from catalog.stores.publications import open_publication, writing
from catalog.stores.release_models import Origin, find_origin, write_model
from catalog.stores.store import open_store
from catalog.stores.tables import read_provenance
from models.publication.model_items import described_detector, described_rules, described_segmenter, model_folder, model_item
from models.segmenter.registry import MODELS


@task(cache_policy=NO_CACHE, task_run_name="models-{region}")
def publish_models(region: str, years: Sequence[int], store: str, to: str, reference: str) -> dict[int, ModelFacts]:
    """Put the models of the years into the publication, each once; return them by year, without those of unknown name.

    `reference` is where weights are that do not come with the program. Raises WeightsUnfit when they are not those that mapped a year.
    """
    opened, publication = open_store(store), open_publication(to)
    target = stored_region(opened, region).target
    found: dict[int, ModelFacts] = {}
    with writing(publication):
        for year in years:
            origin = read_provenance(opened.inventory(target, region, year))
            if not origin.get("model"):
                continue
            name, _, running = str(origin["model"]).partition(" ")
            card = find_origin(name, str(origin.get("model_sha256", "")), reference)
            if reference and card is None and name not in MODELS:
                raise WeightsUnfit(
                    f"{reference} is not the model {origin['model']} that mapped {region} {year}: its hash differs. Give the weights that did."
                )
            found[year] = _facts(name, running, str(origin.get("model_sha256", "")), card)
            write_model(publication, found[year], card, model_item)
    return found


def _facts(name: str, running: str, sha256: str, origin: Origin | None) -> ModelFacts:
    if origin is not None:
        card = origin.card
        assert isinstance(card, WeightsCard | DetectorCard)  # no other system makes inventories
        described = described_segmenter(card) if isinstance(card, WeightsCard) else described_detector(card)
        folder = model_folder(card.name, card.version, sha256)
        return ModelFacts(card.name, running, sha256, card.title, card.licence, card.citation, card.trained_on, folder, described)
    if name in MODELS:
        rules = MODELS[name]
        described = described_rules(name, rules.title)
        return ModelFacts(
            name, running, sha256, rules.title, rules.licence, rules.citation, rules.trained_on, model_folder(name, running, ""), described
        )
    return ModelFacts(name, running, sha256, "", "", "", "", model_folder(name, running, sha256))
