"""Cut a web of things that belong together into communities, small enough to be packed into splits.

The things are nodes; each example ties some of them. On real corpora nearly all nodes hang together in one giant
component, so it is cut where few examples cross: by the Leiden method, again and again, until every
community is small.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import igraph
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

SOFT_WEIGHT = 0.25
"""Strength of a tie that may be trimmed, beside 1 for one that may not."""

_RESOLUTIONS = 40  # doublings before a community is taken apart into its nodes


def components(size: int, members: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Return the connected component of each of ``size`` nodes, given the nodes that each example ties."""
    lengths = np.fromiter((len(nodes) for nodes in members), np.int64, len(members))
    flat = np.fromiter((node for nodes in members for node in nodes), np.int64, int(lengths.sum()))
    firsts = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(lengths) else np.zeros(0, np.int64)
    heads = np.repeat(flat[firsts] if len(flat) else flat, lengths)
    graph = coo_array((np.ones(len(flat), np.int8), (heads, flat)), shape=(size, size))
    return np.asarray(connected_components(graph.tocsr(), directed=False)[1], np.int64)


def cut(
    core: Sequence[Sequence[int]],
    soft: Sequence[Sequence[int]],
    loads: npt.NDArray[np.float64],
    cap: float,
    key: int,
) -> npt.NDArray[np.int64]:
    """Cut one component into communities.

    Parameters
    ----------
    core, soft
        The nodes that each example ties firmly, and those that it could do without.
    loads
        What each node (row) carries of each measure (column); the largest measure of a community counts.
    cap
        The most that a community may carry, unless it is a single node.
    key
        Seed of the method's own chance.

    Returns
    -------
    The community of each node, numbered by the smallest node in it.
    """
    size = len(loads)
    graph = _graph(size, core, soft)
    labels = np.arange(size)
    with _chance(key):
        pending = [(np.arange(graph.vcount()), 1.0, 0)]
        while pending:
            vertices, resolution, depth = pending.pop()
            parts = _leiden(graph, vertices, resolution) if depth < _RESOLUTIONS else list(vertices[:, None])
            for part in parts:
                nodes = part[part < size]
                if len(nodes) <= 1:
                    continue
                if loads[nodes].sum(axis=0).max() <= cap:
                    labels[nodes] = nodes.min()
                else:
                    whole = len(part) == len(vertices)
                    pending.append((part, resolution * 2 if whole else resolution, depth + 1))
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _leiden(graph: igraph.Graph, vertices: npt.NDArray[np.int64], resolution: float) -> list[npt.NDArray[np.int64]]:
    part = graph if len(vertices) == graph.vcount() else graph.induced_subgraph(vertices.tolist())
    found = part.community_leiden("modularity", weights="weight", resolution=resolution, n_iterations=2)
    membership = np.asarray(found.membership)
    order = np.argsort(membership, kind="stable")
    bounds = np.flatnonzero(np.diff(membership[order])) + 1
    return np.split(vertices[order], bounds)


def _graph(size: int, core: Sequence[Sequence[int]], soft: Sequence[Sequence[int]]) -> igraph.Graph:
    """Two tied nodes become an edge; three or more become a star around a vertex of their own."""
    heads: list[int] = []
    tails: list[int] = []
    weights: list[float] = []
    center = size
    for firm, loose in zip(core, soft, strict=True):
        nodes = [(node, 1.0) for node in firm] + [(node, SOFT_WEIGHT) for node in loose]
        if len(nodes) < 2:
            continue
        if len(nodes) == 2:
            hub, spokes = nodes[0][0], nodes[1:]
        else:
            hub, spokes = center, nodes
            center += 1
        heads.extend(hub for _ in spokes)
        tails.extend(node for node, _ in spokes)
        weights.extend(weight for _, weight in spokes)
    ends = (np.asarray(heads, np.int64), np.asarray(tails, np.int64))
    matrix = csr_array(coo_array((np.asarray(weights), ends), shape=(center, center))).tocoo()
    edges = np.stack([matrix.row, matrix.col], axis=1)
    graph = igraph.Graph(n=center, edges=edges)
    graph.es["weight"] = matrix.data
    return graph


@contextmanager
def _chance(key: int) -> Iterator[None]:
    """Let igraph draw from a generator of our own, so that nothing else in the process moves its draws."""
    igraph.set_random_number_generator(random.Random(key))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)
