"""The words of the sample world: eighteen topics, each with its own things, acts and traits.

Some words belong to two topics. No word describes color, shape, pattern or any other property of
style, which only the pictures show.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A topic: its broad category and the words of its items."""

    name: str
    category: str
    things: tuple[str, ...]
    acts: tuple[str, ...]
    traits: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return self.things + self.acts + self.traits


def _topic(name: str, category: str, things: str, acts: str, traits: str) -> Topic:
    return Topic(name, category, tuple(things.split()), tuple(acts.split()), tuple(traits.split()))


TOPICS: tuple[Topic, ...] = (
    _topic(
        "baking",
        "food",
        "sourdough loaves brioche crumpets pastry flour yeast dough scones muffins crust rye",
        "kneading proving baking glazing sifting",
        "buttery floury crusty leavened wholemeal",
    ),
    _topic(
        "coffee",
        "food",
        "espresso beans cortado grinders filters crema kettles cappuccino roast mocha brews",
        "brewing grinding roasting tamping pouring",
        "roasted aromatic bitter caffeinated milky",
    ),
    _topic(
        "pickling",
        "food",
        "pickles brine kimchi jars chutney sauerkraut gherkins vinegar relish marmalade capers jam",
        "pickling fermenting preserving salting bottling",
        "tangy sour fermented briny vinegary",
    ),
    _topic(
        "noodles",
        "food",
        "noodles ramen broth udon dumplings soba wontons miso tofu laksa stock chopsticks",
        "simmering slurping ladling steaming wokking",
        "brothy savoury umami steaming spicy",
    ),
    _topic(
        "gardening",
        "outdoors",
        "seedlings compost tomatoes trowels mulch beds tulips allotments pruners roots seeds",
        "planting weeding sowing pruning watering",
        "perennial homegrown rooted sprouting frostproof",
    ),
    _topic(
        "hiking",
        "outdoors",
        "trails summits boots rucksacks ridges huts valleys maps cairns passes waterfalls tents",
        "hiking climbing trekking camping scrambling",
        "rugged alpine muddy steep windswept",
    ),
    _topic(
        "cycling",
        "outdoors",
        "bicycles saddles spokes gears pedals chains tyres panniers handlebars derailleurs helmets "
        "climbs",
        "cycling pedalling commuting sprinting descending",
        "aerodynamic geared punctureproof gravelly fast",
    ),
    _topic(
        "birdwatching",
        "outdoors",
        "robins feeders owls binoculars nests warblers wetlands kingfishers plumage songbirds "
        "swallows seeds",
        "birdwatching nesting spotting migrating twitching",
        "feathered migratory nocturnal chirping fledgling",
    ),
    _topic(
        "pottery",
        "making",
        "clay kilns mugs bowls glazes stoneware porcelain slip vases earthenware pots teapots",
        "throwing firing glazing sculpting wedging",
        "handthrown unglazed ceramic earthen fired",
    ),
    _topic(
        "knitting",
        "making",
        "yarn wool needles mittens cardigans stitches skeins scarves merino sweaters socks shawls",
        "knitting purling crocheting darning unravelling",
        "woolly knitted chunky cosy handspun",
    ),
    _topic(
        "woodwork",
        "making",
        "oak chisels dovetails planks lathes sawdust joinery planes walnut workbenches mallets "
        "veneer",
        "carving sanding sawing whittling planing",
        "wooden handcarved oiled sturdy knotty",
    ),
    _topic(
        "bookbinding",
        "making",
        "notebooks folios spines endpapers journals parchment thread leather bindings sketchbooks "
        "albums signatures",
        "binding folding stitching embossing sewing",
        "papery bound handbound numbered archival",
    ),
    _topic(
        "dogs",
        "home",
        "puppies terriers leads kennels collars spaniels treats fetch whippets biscuits walks",
        "barking training grooming fetching walking",
        "loyal furry playful waggy obedient",
    ),
    _topic(
        "storage",
        "home",
        "shelves drawers baskets wardrobes boxes cupboards hooks labels hangers closets racks",
        "tidying sorting decluttering stacking labelling",
        "tidy stackable spacious uncluttered organised",
    ),
    _topic(
        "bathing",
        "home",
        "soap bathtubs towels candles lotions sponges shampoo balms salts saunas scrubs robes",
        "soaking bathing scrubbing exfoliating unwinding",
        "soothing fragrant foamy scented steamy",
    ),
    _topic(
        "astronomy",
        "leisure",
        "telescopes planets nebulae comets galaxies eclipses orbits meteors observatories saturn "
        "constellations eyepieces",
        "stargazing observing orbiting aligning tracking",
        "celestial lunar cosmic nocturnal interstellar",
    ),
    _topic(
        "guitar",
        "leisure",
        "guitars chords strings amplifiers riffs frets capos ukuleles melodies pedals plectrums",
        "strumming tuning plucking fingerpicking jamming",
        "acoustic melodic bluesy amplified tuneful",
    ),
    _topic(
        "boardgames",
        "leisure",
        "dice meeples chess cards tokens pawns rulebooks puzzles dominoes backgammon draughts",
        "playing bluffing shuffling scoring drafting",
        "strategic cooperative competitive tactical puzzling",
    ),
)
