"""Cut a web of things that belong together into communities, small enough to be packed into splits.

The things are nodes; each example ties some of them. On real corpora nearly all nodes hang together in one giant
component, so it is cut where few examples cross: by the Leiden method, again and again, until every
community is small.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecinstruct_build.lazily import igraph
from quality.splitting.ragged import Integers, Ragged

SOFT_WEIGHT = 0.25
"""Strength of a tie that may be trimmed, beside 1 for one that may not."""

_RESOLUTIONS = 40  # doublings before a community is taken apart into its nodes


def components(size: int, ties: Ragged) -> Integers:
    """Return the connected component of each of ``size`` nodes, named by its smallest node.

    Parameters
    ----------
    size
        How many nodes there are.
    ties
        Rows of nodes that hang together.
    """
    labels = np.arange(size)
    begins, lengths = ties.starts[:-1][ties.lengths > 0], ties.lengths[ties.lengths > 0]
    while len(begins):
        least = np.minimum.reduceat(labels[ties.values], begins)
        lower = labels.copy()
        np.minimum.at(lower, ties.values, np.repeat(least, lengths))
        np.minimum.at(lower, labels, lower.copy())  # what a node learned, the node that it is named by learns too
        while (lower != lower[lower]).any():
            lower = lower[lower]
        if (lower == labels).all():
            break
        labels = lower
    return labels


def cut(core: Ragged, soft: Ragged, loads: npt.NDArray[np.float64], *, cap: float, key: int) -> Integers:
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


def _leiden(graph: igraph.Graph, vertices: Integers, resolution: float) -> list[Integers]:
    part = graph if len(vertices) == graph.vcount() else graph.induced_subgraph(vertices.tolist())
    found = part.community_leiden("modularity", weights="weight", resolution=resolution, n_iterations=2)
    membership = np.asarray(found.membership)
    order = np.argsort(membership, kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(membership[order])) + 1).tolist(), len(order)]
    return [vertices[order[begin:end]] for begin, end in pairwise(bounds)]


def _graph(size: int, core: Ragged, soft: Ragged) -> igraph.Graph:
    """Two tied nodes become an edge; three or more become a star around a vertex of their own."""
    owners = np.concatenate([core.owners, soft.owners])
    nodes = np.concatenate([core.values, soft.values])
    strengths = np.repeat([1.0, SOFT_WEIGHT], [len(core.values), len(soft.values)])
    order = np.argsort(owners, kind="stable")
    owners, nodes, strengths = owners[order], nodes[order], strengths[order]
    counts = np.bincount(owners, minlength=len(core))
    firsts = np.cumsum(counts) - counts
    star = counts > 2
    hubs = np.where(star, size + np.cumsum(star) - 1, 0)
    hubs[counts == 2] = nodes[firsts[counts == 2]]
    spoke = star[owners]
    spoke[firsts[counts == 2] + 1] = True
    heads, tails, weights = hubs[owners[spoke]], nodes[spoke], strengths[spoke]
    total = size + int(star.sum())
    edges, number = np.unique(heads * total + tails, return_inverse=True)
    summed = np.bincount(number, weights, minlength=len(edges))
    return igraph.Graph(total, np.stack([edges // total, edges % total], axis=1), edge_attrs={"weight": summed})


@contextmanager
def _chance(key: int) -> Iterator[None]:
    """Let igraph draw from a generator of our own, so that nothing else in the process moves its draws."""
    igraph.set_random_number_generator(random.Random(key))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)
