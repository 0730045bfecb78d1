"""Traffic in Sioux Falls: where 360,600 trips go when each driver takes the quickest way, and what tolls would do.

Beckmann's function adds up the integrals of the times that links take.  Its slopes are the times, by the engine, and at
its minimum no driver gains by another way.  To get there, each pair of places in turn moves trips from slower ways to
its quickest.  That drivers delay each other is no slope of it, but one of the total time: hence the tolls.

Network of L. LeBlanc and others, Transportation Research 9 (1975), in their units, as it comes with AequilibraE (MIT,
with the clause that it be named): ``pip install '.[traffic]'``.  Optimum: Transportation Networks for Research.
"""

import importlib.metadata
import sqlite3
import zipfile

import numpy as np
from matplotlib.collections import LineCollection
from shared import GREY, parser, plt, save

import autodiff as ad
from autodiff.core.errors import MissingExtraError

tolerance = 1e-5 if parser.parse_args().quick else 1e-11
try:
    import tables
    from scipy.sparse import csgraph, csr_array

    network = importlib.metadata.distribution("aequilibrae").locate_file("aequilibrae/reference_files/sioux_falls.zip")
except ModuleNotFoundError:
    print(MissingExtraError("The network of Sioux Falls", "aequilibrae", "traffic"))
    raise SystemExit from None
files, database = zipfile.ZipFile(network), sqlite3.connect(":memory:")
database.deserialize(files.read("project_database.sqlite"))
rows = database.execute("SELECT a_node - 1, b_node - 1, capacity_ab, free_flow_time, b, power FROM links").fetchall()
places = [np.frombuffer(x, float, 2, 6) for (x,) in database.execute("SELECT geometry FROM nodes ORDER BY node_id")]
database.close()
image = {"driver_core_image": files.read("matrices/demand.omx"), "driver_core_backing_store": 0}
with tables.open_file("demand", driver="H5FD_CORE", **image) as file:
    demand = file.root.data.matrix[:]
*ends, capacity, free, b, power = np.array(rows).T
start, end = np.array(ends, dtype=int)
link = {pair: k for k, pair in enumerate(zip(start.tolist(), end.tolist()))}


def beckmann(flows):
    """The integrals of the times of the links, free (1 + b (flow / capacity)^power), from no flow to these."""
    return ad.sum(free * flows * (1 + b / (power + 1) * (flows / capacity) ** power))


def total(flows):
    return ad.sum(flows * ad.grad(beckmann)(flows))  # the time that all drivers spend


def links_of_way(before, origin, node):
    links = np.zeros(len(link))
    while node != origin:
        links[link[before[origin, node], node]] = 1
        node = before[origin, node]
    return links


def minimum(objective):
    """The flows where no way has a smaller sum of slopes than those in use, up to a share that is given, too."""
    expand = ad.compile(lambda flows: ad.jvp(ad.grad(objective), (flows,), (np.ones(len(flows)),)))
    flows, ways, gap = np.zeros(len(link)), {}, 1.0
    while gap > tolerance:
        lengths, before = csgraph.dijkstra(csr_array((expand(flows)[0], (start, end))), return_predecessors=True)
        gap = 1 - np.sum(demand * lengths) / (expand(flows)[0] @ flows) if ways else 1.0
        for pair in zip(*np.nonzero(demand)):
            quickest = links_of_way(before, *pair)
            flows += 0 if pair in ways else demand[pair] * quickest  # at first, all trips take the same way
            links, trips = ways.setdefault(pair, (quickest[None], demand[pair][None]))
            if not (links == quickest).all(axis=1).any():
                links, trips = np.vstack([links, quickest]), np.append(trips, 0)
            if len(trips) > 1:  # Newton's step from each way to the quickest, to where both are even
                slopes, curvatures = expand(flows)
                costs, best = links @ slopes, (links @ slopes).argmin()
                moved = np.minimum(trips, (costs - costs[best]) / ((links != links[best]) @ curvatures + 1e-300))
                moved[best] = -moved.sum()
                flows, trips = flows - moved @ links, trips - moved
                ways[pair] = links[trips > 0], trips[trips > 0]
    return flows, gap


(free_choice, gap), (ordered, _) = minimum(beckmann), minimum(total)
tolls = ad.grad(total)(ordered) - ad.grad(beckmann)(ordered)
tolled, _ = minimum(lambda flows: beckmann(flows) + ad.sum(tolls * flows))
print(f"Beckmann's function {beckmann(free_choice):,.4f}  (published: 4,231,335.2871), gap {gap:.0e}")
print(f"total time {total(free_choice):,.2f} when each takes the quickest way, at least {total(ordered):,.2f}")
print(f"price of anarchy {total(free_choice) / total(ordered):.5f}")
print(f"with tolls {total(tolled) / total(ordered):.5f}, flows off the best by {abs(tolled - ordered).max():.2e}")

figure, ax = plt.subplots(figsize=(5, 4), subplot_kw={"frame_on": False, "xticks": [], "yticks": [], "aspect": "equal"})
ends = np.array(places)[[start, end]]
along = np.subtract(*ends)[:, ::-1] * [-1, 1]
lines = np.swapaxes(ends + 0.0015 * along / np.hypot(*along.T)[:, None], 0, 1)  # each direction on its own side
roads = LineCollection(lines, lw=ordered / 5000, array=tolls, cmap="plasma_r", clim=(-12, None))  # 0 is not faint
figure.colorbar(ax.add_collection(roads), shrink=0.7, label="toll (width: best flow)").ax.set_ylim(0)
ax.plot(*np.transpose(places), "o", color=GREY, ms=5)
save(figure, "example-sioux-falls.png")
