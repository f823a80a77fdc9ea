"""stub"""
from simulator.worlds import World
from simulator.ground import Scenery
def tundra(world: World, seed: int) -> Scenery:
    """Build."""
    raise NotImplementedError
